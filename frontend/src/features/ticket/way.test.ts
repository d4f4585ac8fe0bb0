import { expect, it } from "vitest";
import type { Ticket } from "../../api/tickets";
import { way } from "./way";

const at = "2026-11-22T07:00:00Z";
const ticket = (codes: string[], now = codes.at(-1)): Ticket =>
  ({ now, steps: codes.map((code) => ({ code, at })) }) as unknown as Ticket;
const drawn = (t: Ticket) =>
  way(t).map(
    (s) => `${s.code}${s.taken ? "+" : ""}${s.at === null ? "" : "@"}`,
  );

it("shows what was taken and what may still come", () => {
  expect(drawn(ticket(["received"]))).toEqual([
    "received+@",
    "judged",
    "under_way",
    "on_scene",
    "done",
    "closed",
  ]);
  expect(drawn(ticket(["received", "judged", "on_scene"]))).toEqual([
    "received+@",
    "judged+@",
    "under_way+",
    "on_scene+@",
    "done",
    "closed",
  ]);
});

it("promises no unit where it was done without one", () => {
  expect(drawn(ticket(["received", "judged", "done"]))).toEqual([
    "received+@",
    "judged+@",
    "done+@",
    "closed",
  ]);
});

it("promises nothing where it was handed on", () => {
  expect(drawn(ticket(["received", "judged"], "referred"))).toEqual([
    "received+@",
    "judged+@",
  ]);
});
