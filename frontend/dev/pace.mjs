// What changes at a pace, for measuring a screen: cells in other colours, cases in other states, some of a crowd.

const SEVERITIES = ["Extreme", "Severe", "Moderate", "Minor", "Unknown"];
const STATES = ["acknowledged", "dispatched", "on_scene"];

/** `n` hexagons side by side over the invented area. */
export function manyHexes(n, now) {
  const across = Math.ceil(Math.sqrt(n));
  const wide = 0.6 / across;
  const edge = wide / Math.sqrt(3);
  return Array.from({ length: n }, (_, slot) => {
    const row = Math.floor(slot / across);
    const x = 100.46 + ((slot % across) + (row % 2) / 2) * wide;
    const y = -0.62 - row * edge * 1.5;
    return {
      slot,
      cell: `dev${slot}`,
      resolution: 8,
      ring: [0, 1, 2, 3, 4, 5].map((i) => {
        const turn = ((i * 60 - 30) * Math.PI) / 180;
        return [x + edge * Math.cos(turn), y + edge * Math.sin(turn)];
      }),
      count: 12,
      severity: SEVERITIES[slot % 4],
      at: now,
      stale: now + 60_000,
      unobserved: false,
    };
  });
}

function cases(n, now, iso, severity, status) {
  return {
    id: `01PACE${n}`,
    number: `CTH-2026-${String(n).padStart(6, "0")}`,
    type: "flood",
    title: `Banjir, Nagari ${n}`,
    severity,
    status,
    version: 1,
    lead_agency: "bpbd",
    support: [],
    location: {
      lng: 100.5 + (n % 20) * 0.027,
      lat: -0.65 - (Math.floor(n / 20) % 10) * 0.05,
    },
    cell: "",
    area_name: "Hulu",
    opened_at: iso(now - n * 7_000),
    updated_at: iso(now),
    times: {},
    sla: { class: "A", ack_due: iso(now + 60_000) },
    why: { rule: "muka-air", inputs: [] },
    evidence: [],
    timeline: [],
    dispatches: [],
    simulated: false,
    external_refs: [],
  };
}

export const manyCases = (n, now, iso) =>
  Array.from({ length: n }, (_, i) =>
    cases(i, now, iso, SEVERITIES[1 + (i % 4)], STATES[i % 3]),
  );

let turn = 0;
export const recoloured = {
  /** Every cell in another colour than before. */
  cells(grid, now) {
    turn++;
    for (const c of grid) {
      c.severity = SEVERITIES[(c.slot + turn) % 4];
      c.at = now;
      c.stale = now + 60_000;
    }
    return grid;
  },
  /** The next case in its next state. */
  nextCase(all, now, iso) {
    const i = turn++ % all.length;
    const was = all[i];
    all[i] = {
      ...was,
      version: was.version + 1,
      status: STATES[was.version % 3],
      severity: SEVERITIES[1 + (was.version % 4)],
      updated_at: iso(now),
    };
    return all[i];
  },
  /** In the middle, so that a screen that shows the area shows it. */
  newCase: (now, iso) => ({
    ...cases(1_000 + turn++, now, iso, "Extreme", "new"),
    location: { lng: 100.76, lat: -0.88 },
  }),
};

/** `n` rows of a crowd, others each time. */
export function someOf(groups, n) {
  const all = groups.reduce((sum, g) => sum + g.rows.length, 0);
  return groups.map(({ kind, rows }) => {
    const share = Math.min(rows.length, Math.ceil((n * rows.length) / all));
    const from = (turn * share) % Math.max(1, rows.length);
    return { kind, rows: rows.slice(from, from + share) };
  });
}
