import { expect, it } from "vitest";
import { language } from "../../i18n/lang.svelte";
import { placeWord } from "./words";

it("tells a place outside of the areas from one that is not known", () => {
  language.set("en");
  const location = { lng: 10, lat: 50 };
  expect(placeWord({ area_name: "Kubung", location })).toBe("Kubung");
  expect(placeWord({ area_name: "", location })).toBe("Outside the area");
  expect(placeWord({ area_name: "", location: null })).not.toBe(
    "Outside the area",
  );
});
