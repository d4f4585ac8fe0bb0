import { beforeEach, describe, expect, it } from "vitest";
import { language } from "../../i18n/lang.svelte";
import { kindWord, togetherWords } from "./words";

beforeEach(() => {
  language.set("en");
});

const leads = (to: string) => `<${to}>`;

describe("lines of the timeline", () => {
  it("name who is asked to lead, and keep what was said", () => {
    expect(togetherWords("handover_asked", "pupr", leads)).toBe("<pupr>");
    expect(togetherWords("handover_accepted", "neighbour:padang", leads)).toBe(
      "<neighbour:padang>",
    );
    expect(
      togetherWords("handover_declined", "pupr: no boat: ask\nTNI", leads),
    ).toBe("<pupr>: no boat: ask\nTNI");
  });

  it("name kinds of files and of proof", () => {
    expect(togetherWords("attached", "photo", leads)).toBe(kindWord("photo"));
    expect(togetherWords("attached", "photo", leads)).not.toBe("photo");
    expect(togetherWords("proved", "unit_in_cell: damkar/1", leads)).toMatch(
      /^a unit was there: damkar\/1$/,
    );
  });

  it("name the service time that was missed", () => {
    expect(togetherWords("sla_missed", "scene", leads)).toBe("On scene");
    expect(togetherWords("sla_missed", "else", leads)).toBe("else");
  });

  it("name what was decided, and keep what was said with it", () => {
    expect(togetherWords("decided", "no_action: surut", leads)).toBe(
      "nothing needs doing: surut",
    );
    expect(togetherWords("decided", "else", leads)).toBe("else");
  });

  it("leave every other act to itself", () => {
    expect(togetherWords("held", "daylight until six", leads)).toBeNull();
    expect(togetherWords("commented", "", leads)).toBeNull();
  });

  it("a kind that this screen does not know stands as the house wrote it", () => {
    expect(kindWord("film")).toBe("film");
  });
});
