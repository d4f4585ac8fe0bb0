// Invented crowds for the stand-in server: many Things that move, or the cells that stand for them.

const KINDS = [
  ["truck", 0.25, true],
  ["bus", 0.09, true],
  ["unit", 0.01, true],
  ["streetlight", 0.35, false],
  ["phone", 0.2, true],
  ["river_gauge", 0.01, false],
  ["rain_gauge", 0.01, false],
  ["market", 0.08, false],
];
/** Towns, degrees, with the share of Things around each. */
const TOWNS = [
  [100.63, -0.82, 0.4],
  [100.7, -0.93, 0.2],
  [100.8, -1.07, 0.2],
  [100.58, -0.71, 0.1],
  [100.93, -1.15, 0.1],
];

function random(seed) {
  let s = seed;
  return () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return s / 2 ** 32;
  };
}

/** `n` Things in columns, gathered by kind as the server's frames are. */
export function crowd(n) {
  const chance = random(7);
  const groups = KINDS.map(([kind, share, moves]) => {
    const count = Math.round(n * share);
    return {
      kind,
      moves,
      count,
      lng: new Float64Array(count),
      lat: new Float64Array(count),
      heading: new Float64Array(count),
      speed: new Float64Array(count),
    };
  });
  for (const g of groups) {
    for (let i = 0; i < g.count; i++) {
      let left = chance();
      const [lng, lat] =
        TOWNS.find(([, , share]) => (left -= share) <= 0) ?? TOWNS[0];
      const far = 0.12 * Math.sqrt(-Math.log(1 - chance() * 0.99)) * 0.6;
      const turn = chance() * 2 * Math.PI;
      g.lng[i] = lng + far * Math.cos(turn);
      g.lat[i] = lat + far * Math.sin(turn);
      g.heading[i] = chance() * 360;
      g.speed[i] = 3 + chance() * 15;
    }
  }
  return groups;
}

/** Moves all of them by `seconds`. */
export function advance(groups, seconds) {
  for (const g of groups) {
    for (let i = 0; i < g.count; i++) {
      if (!g.moves) continue;
      const turn = (g.heading[i] * Math.PI) / 180;
      g.lng[i] += (Math.sin(turn) * g.speed[i] * seconds) / 111_195;
      g.lat[i] += (Math.cos(turn) * g.speed[i] * seconds) / 111_195;
      g.heading[i] = (g.heading[i] + 2) % 360;
    }
  }
}

/** Row objects of a group, for binary.mjs; slots are numbered through all groups. */
export function rowsOf(groups, at) {
  let slot = 0;
  return groups.map((g) => {
    const rows = [];
    for (let i = 0; i < g.count; i++) {
      const id = `sim:${g.kind}-${i}`;
      rows.push({
        slot: slot++,
        thing: {
          id,
          feed: "simulator",
          kind: g.kind,
          name: `${g.kind} ${i}`,
          attribution: "",
          simulated: true,
          lng: g.lng[i],
          lat: g.lat[i],
          ...(g.moves && { heading: g.heading[i] }),
          at,
          stale_after: new Date(Date.parse(at) + 60_000).toISOString(),
          state: {},
        },
      });
    }
    return { kind: g.kind, rows };
  });
}

/** Hexagons of about `edge` degrees over the same towns, by count. */
export function hexes(groups, edge, now) {
  const found = new Map();
  const wide = edge * Math.sqrt(3);
  for (const g of groups) {
    for (let i = 0; i < g.count; i++) {
      const r = Math.round(g.lat[i] / (edge * 1.5));
      const q = Math.round(g.lng[i] / wide - (r % 2) / 2);
      const key = `${q},${r}`;
      const cell = found.get(key) ?? { q, r, layers: new Map() };
      cell.layers.set(g.kind, (cell.layers.get(g.kind) ?? 0) + 1);
      found.set(key, cell);
    }
  }
  const layers = new Map();
  let slot = 0;
  for (const { q, r, layers: counts } of found.values()) {
    const x = (q + (r % 2) / 2) * wide;
    const y = r * edge * 1.5;
    const ring = [0, 1, 2, 3, 4, 5].map((i) => {
      const turn = ((i * 60 - 30) * Math.PI) / 180;
      return [x + edge * Math.cos(turn), y + edge * Math.sin(turn)];
    });
    const near = Math.hypot(x - 100.66, (y + 0.86) * 1.6);
    const severity =
      near < 0.03
        ? "Extreme"
        : near < 0.07
          ? "Severe"
          : near < 0.12
            ? "Moderate"
            : "";
    const silent = Math.hypot(x - 100.93, y + 1.15) < 0.07;
    for (const [layer, count] of counts) {
      const list = layers.get(layer) ?? [];
      const at = silent ? now - 26 * 60_000 : now - 4_000;
      list.push({
        slot,
        cell: `dev${slot}`,
        resolution: 7,
        ring,
        count,
        severity: layer === "river_gauge" || layer === "truck" ? severity : "",
        at,
        stale: at + 60_000,
        unobserved: silent,
      });
      layers.set(layer, list);
    }
    slot++;
  }
  return [...layers];
}
