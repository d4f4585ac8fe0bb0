// What is to be known of an account at a glance.
import type { Person } from "../../api/people";
import { instant } from "../../i18n/format";

export type Mark =
  | "unsealed"
  | "disabled"
  | "sealed"
  | "invited"
  | "no_factor"
  | "no_role"
  | "ends";

const WEEK_MS = 7 * 24 * 3_600_000;

/** `look`: somebody should do something about it. */
export function marksOf(
  p: Person,
  now: number,
): { mark: Mark; look: boolean }[] {
  const grants = [...p.grants, ...p.provided];
  const enters =
    p.password || p.external.length > 0 || p.factors.includes("passkey");
  const second = p.factors.some((f) => f !== "recovery");
  const ends = p.grants.some((g) => {
    const left = (instant(g.until) ?? Infinity) - now;
    return left > 0 && left < WEEK_MS;
  });
  const all: [Mark, boolean, boolean][] = [
    ["disabled", false, p.disabled],
    ["unsealed", true, p.breakGlass && p.unsealedAt !== null],
    ["sealed", false, p.breakGlass && p.unsealedAt === null],
    ["invited", false, !enters && !p.breakGlass && !p.disabled],
    [
      "no_factor",
      true,
      enters && !second && !p.breakGlass && !p.disabled && !p.external.length,
    ],
    ["no_role", false, grants.length === 0 && !p.disabled],
    ["ends", false, ends],
  ];
  return all
    .filter(([, , holds]) => holds)
    .map(([mark, look]) => ({ mark, look }));
}

/** Whether an account is meant by what somebody types: name, login or role. */
export function meant(
  p: Person,
  typed: string,
  roleWord: (role: string) => string,
): boolean {
  const words = [
    p.name,
    p.login,
    p.unit,
    ...[...p.grants, ...p.provided].flatMap((g) => [
      g.role,
      roleWord(g.role),
      g.agency,
    ]),
  ];
  const all = words.join(" ").toLowerCase();
  return typed
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word));
}

/** Those in use first, by name. */
export const inOrder = (list: readonly Person[]): Person[] =>
  [...list].sort(
    (a, b) =>
      Number(a.disabled) - Number(b.disabled) || a.name.localeCompare(b.name),
  );
