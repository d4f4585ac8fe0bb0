// Dark by night, light by day: the same layout, kept on this desk.

export type Theme = "desk-dark" | "desk-light";

const KEY = "kentongan.theme";

class Themes {
  current = $state<Theme>("desk-dark");

  set(theme: Theme): void {
    this.current = theme;
    document.documentElement.dataset["theme"] = theme;
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // Storage is closed to us: the choice lasts as long as the page.
    }
  }

  toggle(): void {
    this.set(this.current === "desk-dark" ? "desk-light" : "desk-dark");
  }
}

export const theme = new Themes();

export function chooseTheme(): void {
  let kept: string | null = null;
  try {
    kept = localStorage.getItem(KEY);
  } catch {
    // As above.
  }
  theme.set(kept === "desk-light" ? "desk-light" : "desk-dark");
}
