// A page that is read like paper: light unless somebody asked for dark, and the paper's own colours while it is printed.
import { chooseTheme, theme, type Theme } from "../../ui/theme.svelte";

const KNOWN: Record<string, Theme> = { dark: "desk-dark", light: "desk-light" };

function show(name: Theme): void {
  theme.current = name;
  document.documentElement.dataset["theme"] = name;
}

/** `?theme=` of the address, then the choice of this desk, then what the browser prefers. */
export function chooseSheet(search: string): void {
  const asked = KNOWN[new URLSearchParams(search).get("theme") ?? ""];
  let kept: string | null = null;
  try {
    kept = localStorage.getItem("kentongan.theme");
  } catch {
    // Storage is closed to us: the browser says what it prefers.
  }
  if (asked) show(asked);
  else if (kept !== null) chooseTheme();
  else
    show(
      matchMedia("(prefers-color-scheme: dark)").matches
        ? "desk-dark"
        : "desk-light",
    );
}
