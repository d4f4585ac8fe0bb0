// The words of words.ts for what opens with the desk: they are many, and come right after it. Until then a code is shown as it is written.
import { plain } from "./plain";

let words = $state.raw<typeof import("./words") | null>(null);

void import("./words").then((come) => {
  words = come;
});

export const kindWord = (kind: string): string =>
  words?.kindWord(kind) ?? plain(kind);

export const propertyWord = (property: string): string =>
  words?.propertyWord(property) ?? plain(property);
