import { expect, it } from "vitest";
import { Noun } from "./noun.svelte";

interface Doc {
  id: string;
  open: boolean;
}

const now = {
  soon: (run: () => void) => {
    run();
  },
} as never;
const at = (offset: number) => ({ epoch: "e", offset });
const noun = () =>
  new Noun<Doc>(
    now,
    (d) => d.id,
    (d) => d.open,
  );

it("does not bring back what left by a late word of it", () => {
  const docs = noun();
  docs.put({ id: "a", open: true }, at(1));
  docs.put({ id: "a", open: false }, at(3));
  expect(docs.put({ id: "a", open: true }, at(2))).toBe(false);
  expect(docs.all).toEqual([]);
});

it("knows what stands, however much has left meanwhile", () => {
  const docs = noun();
  docs.put({ id: "stands", open: true }, at(1));
  for (let i = 2; i < 5_000; i++) docs.put({ id: `${i}`, open: false }, at(i));
  expect(docs.put({ id: "stands", open: false }, at(1))).toBe(false);
  expect(docs.put({ id: "4999", open: true }, at(4_999))).toBe(false);
  expect(docs.all).toHaveLength(1);
});
