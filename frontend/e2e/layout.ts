// What holds of every screen, whatever it shows: measured on what the browser has laid out, without a picture to compare with.
import type { Page } from "playwright-core";

export interface Measure {
  /** Where the roots are that nothing may leave; each is measured by itself. */
  roots: string;
  /** Text inside these may be cut off by an edge: what is beyond it is not needed. */
  cut?: string;
  /** Contrast, at least: on a wall and elsewhere (WCAG 2.2, 1.4.6 and 1.4.3). */
  wall?: number;
  desk?: number;
  /** Side of what is pressed, CSS pixels (WCAG 2.2, 2.5.8). */
  target?: number;
  /** What may be smaller: something else on the page does the same. */
  small?: string;
}

/** Faults, one a line, each with where it is. */
export async function faultsOf(page: Page, ask: Measure): Promise<string[]> {
  await page.evaluate(() => document.fonts.ready);
  return page.evaluate(
    ({ roots, cut = "", wall = 7, desk = 4.5, target = 24, small = "" }) => {
      const faults: string[] = [];
      const dot = document.createElement("canvas").getContext("2d", {
        willReadFrequently: true,
      });
      const seen = new Map<string, number[]>();
      /** Red, green, blue and opacity of 0 to 1. */
      function rgba(colour: string): number[] {
        const known = seen.get(colour);
        if (known) return known;
        let out = [0, 0, 0, 0];
        if (dot) {
          dot.clearRect(0, 0, 1, 1);
          dot.fillStyle = colour;
          dot.fillRect(0, 0, 1, 1);
          const [r = 0, g = 0, b = 0, a = 0] = dot.getImageData(
            0,
            0,
            1,
            1,
          ).data;
          out = [r / 255, g / 255, b / 255, a / 255];
        }
        seen.set(colour, out);
        return out;
      }
      const light = ([r = 0, g = 0, b = 0]: number[]) => {
        const of = (v: number) =>
          v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
        return 0.2126 * of(r) + 0.7152 * of(g) + 0.0722 * of(b);
      };
      const over = (top: number[], under: number[], opacity = 1) => {
        const a = (top[3] ?? 1) * opacity;
        return [0, 1, 2].map(
          (i) => (top[i] ?? 0) * a + (under[i] ?? 0) * (1 - a),
        );
      };
      function ground(from: Element): number[] {
        const layers: number[][] = [];
        for (let at: Element | null = from; at; at = at.parentElement) {
          const colour = rgba(getComputedStyle(at).backgroundColor);
          if ((colour[3] ?? 0) > 0) layers.push(colour);
          if ((colour[3] ?? 0) === 1) break;
        }
        return layers.reduceRight((under, top) => over(top, under), [1, 1, 1]);
      }
      const short = (text: string) => text.trim().slice(0, 40);
      const nameOf = (el: Element) =>
        `${el.tagName.toLowerCase()}${el.className && typeof el.className === "string" ? `.${el.className.split(" ")[0] ?? ""}` : ""}`;
      const unseen = (el: Element) =>
        !el.checkVisibility({
          opacityProperty: true,
          visibilityProperty: true,
        });
      const tiny = (el: Element) => {
        const { width, height } = el.getBoundingClientRect();
        return (
          width <= 1.5 &&
          height <= 1.5 &&
          getComputedStyle(el).clipPath !== "none"
        );
      };
      /** Cut off on purpose, with a sign that more is there. */
      const signed = (el: Element) => {
        const style = getComputedStyle(el);
        return (
          style.textOverflow === "ellipsis" || style.webkitLineClamp !== "none"
        );
      };
      const clips = (el: Element) =>
        /hidden|clip|auto|scroll/.test(getComputedStyle(el).overflowX) ||
        /hidden|clip|auto|scroll/.test(getComputedStyle(el).overflowY);
      const scrolls = (el: Element) => {
        const { overflowX, overflowY } = getComputedStyle(el);
        return /auto|scroll/.test(overflowX + overflowY);
      };

      for (const root of document.querySelectorAll(roots)) {
        const where =
          root.getAttribute("data-stage") ??
          root.getAttribute("data-testid") ??
          nameOf(root);
        const frame = root.getBoundingClientRect();
        const texts: {
          el: Element;
          text: string;
          x0: number;
          y0: number;
          x1: number;
          y1: number;
        }[] = [];
        const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
        for (let node = walk.nextNode(); node; node = walk.nextNode()) {
          const text = node.textContent ?? "";
          const el = node.parentElement;
          if (!el || text.trim() === "" || unseen(el)) continue;
          if (el.closest("svg, option, datalist, textarea")) continue;
          let hidden = false;
          for (
            let at: Element | null = el;
            at && at !== root;
            at = at.parentElement
          )
            if (tiny(at)) hidden = true;
          if (hidden) continue;
          const range = document.createRange();
          range.selectNodeContents(node);
          const boxes = [...range.getClientRects()].slice(0, 40);
          const style = getComputedStyle(el);
          // Contrast, by what is computed: shapes and pictures below are not seen here.
          const opacity = (() => {
            let o = 1;
            for (let at: Element | null = el; at; at = at.parentElement)
              o *= Number(getComputedStyle(at).opacity);
            return o;
          })();
          const under = ground(el);
          const ink = over(rgba(style.color), under, opacity);
          const [a, b] = [light(ink), light(under)];
          const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
          const theme = el.closest("[data-theme]")?.getAttribute("data-theme");
          const least = theme === "wall-dark" ? wall : desk;
          if (ratio < least - 0.05)
            faults.push(
              `${where}: contrast ${ratio.toFixed(2)} below ${least}: ${nameOf(el)} "${short(text)}"`,
            );
          if (
            /\d/.test(text) &&
            !/tnum/.test(style.fontFeatureSettings) &&
            !/tabular/.test(style.fontVariantNumeric) &&
            !/monospace/.test(style.fontFamily)
          )
            faults.push(
              `${where}: digits are not tabular: ${nameOf(el)} "${short(text)}"`,
            );
          let [left, top, right, bottom] = [-1e9, -1e9, 1e9, 1e9];
          let marked = false;
          let moved = false;
          let cutBy: Element | null = null;
          for (
            let at: Element | null = el;
            at && root.contains(at);
            at = at.parentElement
          ) {
            if (signed(at)) marked = true;
            if (scrolls(at)) moved = true;
            if (clips(at)) {
              const box = at.getBoundingClientRect();
              left = Math.max(left, box.left);
              top = Math.max(top, box.top);
              right = Math.min(right, box.right);
              bottom = Math.min(bottom, box.bottom);
              cutBy ??= at;
            }
            if (at === root) break;
          }
          const free = cut !== "" && el.closest(cut) !== null;
          for (const box of boxes) {
            if (box.width < 1 || box.height < 1) continue;
            // A line's box is higher than its letters.
            const slack = box.height * 0.22;
            const cutOff =
              box.left < left - 1 ||
              box.right > right + 1 ||
              box.top + slack < top - 1 ||
              box.bottom - slack > bottom + 1;
            if (cutOff && !marked && !moved && !free) {
              faults.push(
                `${where}: cut off without a sign by ${cutBy ? nameOf(cutBy) : "?"}: ${nameOf(el)} "${short(text)}"`,
              );
              break;
            }
            const visible = {
              x0: Math.max(box.left, left),
              x1: Math.min(box.right, right),
              y0: Math.max(box.top + slack, top),
              y1: Math.min(box.bottom - slack, bottom),
            };
            if (visible.x1 - visible.x0 < 1 || visible.y1 - visible.y0 < 1)
              continue;
            if (
              visible.x0 < frame.left - 1 ||
              visible.x1 > frame.right + 1 ||
              visible.y0 < frame.top - 1 ||
              visible.y1 > frame.bottom + 1
            ) {
              faults.push(
                `${where}: runs out of its box: ${nameOf(el)} "${short(text)}"`,
              );
              break;
            }
            texts.push({ el, text, ...visible });
          }
        }
        const at = [...texts].sort((a, b) => a.y0 - b.y0);
        const told = new Set<string>();
        for (const [i, a] of at.entries()) {
          for (let j = i + 1; j < at.length; j++) {
            const b = at[j];
            if (!b || b.y0 > a.y1) break;
            if (a.el === b.el) continue;
            const w = Math.min(a.x1, b.x1) - Math.max(a.x0, b.x0);
            const h = Math.min(a.y1, b.y1) - Math.max(a.y0, b.y0);
            if (w <= 2 || h <= 2) continue;
            const key = `${where}: "${short(a.text)}" lies over "${short(b.text)}"`;
            if (told.has(key)) continue;
            told.add(key);
            faults.push(key);
          }
        }
        for (const el of root.querySelectorAll<HTMLElement>(
          "button, a[href], input, select, textarea, summary, [role=button], [role=tab]",
        )) {
          if (unseen(el) || el.closest("[inert]")) continue;
          if (small !== "" && el.closest(small)) continue;
          const box = el.getBoundingClientRect();
          if (box.width === 0 || tiny(el)) continue;
          const inline =
            getComputedStyle(el).display === "inline" && el.tagName === "A";
          // A small box whose label is pressed as well has the label's size.
          const label = el.closest("label")?.getBoundingClientRect();
          const [w, h] = [
            Math.max(box.width, label?.width ?? 0),
            Math.max(box.height, label?.height ?? 0),
          ];
          if (!inline && (w < target - 0.5 || h < target - 0.5))
            faults.push(
              `${where}: pressed at ${w.toFixed(0)}x${h.toFixed(0)}: ${nameOf(el)} "${short(el.textContent)}"`,
            );
        }
      }
      return faults.slice(0, 200);
    },
    ask,
  );
}

/** How far the page is wider than its window, CSS pixels. */
export const wider = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
