// Invented scenes for looking at the wall: a flood, a quiet night, nothing at all, and words that try to break the layout.

const S = 1000;
const M = 60 * S;

function ring(lng, lat, r, n = 40) {
  const out = [];
  for (let i = 0; i <= n; i++) {
    const t = (i / n) * 2 * Math.PI;
    const w = r * (1 + 0.12 * Math.sin(3 * t + lng * 50));
    out.push([lng + w * Math.cos(t), lat + w * Math.sin(t)]);
  }
  return out;
}

/** A made-up regency of seven round districts, for machines without a real profile at hand. */
export function inventedProfile() {
  const names = ["Timur", "Barat", "Hulu", "Hilir", "Tengah", "Pasar", "Bukit"];
  const features = names.map((name, i) => ({
    type: "Feature",
    properties: { code: `x${i}`, name, kind: "district", seat: name },
    geometry: {
      type: "Polygon",
      coordinates: [
        ring(100.6 + (i % 3) * 0.16, -0.75 - Math.floor(i / 3) * 0.16, 0.1),
      ],
    },
  }));
  return {
    slug: "contoh",
    name: "Kabupaten Contoh",
    center: { lng: 100.76, lat: -0.91 },
    bbox: [100.45, -1.25, 101.1, -0.6],
    time_zone: "Asia/Jakarta",
    prefix: "CTH",
    attribution: "Batas indikatif: contoh",
    agencies: [],
    areas: { type: "FeatureCollection", features },
    outline: {
      type: "Feature",
      properties: {},
      geometry: { type: "Polygon", coordinates: [ring(100.76, -0.91, 0.3)] },
    },
  };
}

function incident(no, severity, status, title, area, lng, lat, ageS, more) {
  return (now, iso) => ({
    id: `01INC${no}`,
    number: `SLK-2026-${String(no).padStart(6, "0")}`,
    type: "flood",
    title,
    severity,
    status,
    version: 1,
    lead_agency: "bpbd",
    support: [],
    location: lng === null ? null : { lng, lat },
    cell: "",
    area_name: area,
    opened_at: iso(now - ageS * S),
    updated_at: iso(now - ageS * S),
    times: {},
    sla: { class: "A", ack_due: iso(now - ageS * S + 60 * S) },
    why: { rule: "muka-air", inputs: [] },
    evidence: [],
    timeline: [],
    dispatches: [],
    simulated: false,
    external_refs: [],
    ...more?.(now, iso),
  });
}

function thing(id, kind, name, lng, lat, ageS, everyS, value, unit) {
  return (now, iso) => ({
    id,
    feed: id.split(":")[0],
    kind,
    name,
    lng,
    lat,
    cell: "",
    state: {
      value: {
        value,
        unit,
        at: iso(now - ageS * S),
        received_at: iso(now - ageS * S),
        quality: "good",
      },
    },
    at: iso(now - ageS * S),
    stale_after: iso(now - ageS * S + everyS * 1.2 * S + 2 * S),
    simulated: false,
    attribution: "",
  });
}

function quake(id, magnitude, lng, lat, ageM, place, severity, relevant, km) {
  return (now, iso) => ({
    ...alertBase(id, now, iso, ageM),
    category: "Geo",
    event: "Gempa",
    headline: place,
    severity,
    relevant,
    sources: ["gempa"],
    attribution: "Sumber: BMKG",
    quake: {
      origin_at: iso(now - ageM * M),
      depth_km: 10,
      magnitude,
      place,
      reviewed: true,
      lng,
      lat,
      distance_km: km,
      mmi_here: 0,
    },
  });
}

function alertBase(id, now, iso, ageM) {
  return {
    id,
    identifier: id,
    sender: "bmkg",
    sent: iso(now - ageM * M),
    msg_type: "Alert",
    status: "Actual",
    urgency: "Immediate",
    certainty: "Observed",
    effective: iso(now - ageM * M),
    onset: iso(now - ageM * M),
    expires: iso(now + 177 * M),
    description: "",
    area: { type: "Feature", geometry: null, properties: { name: "" } },
    references: [],
    state: "active",
    revision: 1,
    received_at: iso(now - ageM * M),
    updated_at: iso(now - ageM * M),
    simulated: false,
  };
}

const nowcast = (now, iso) => ({
  ...alertBase("nowcast-1", now, iso, 24),
  category: "Met",
  event: "Hujan lebat disertai petir",
  headline: "Hujan lebat",
  severity: "Moderate",
  relevant: true,
  sources: ["nowcast"],
  attribution: "Sumber: BMKG",
  texts: [
    {
      language: "en",
      event: "Heavy rain with lightning",
      headline: "",
      description: "",
    },
  ],
  area: {
    type: "Feature",
    properties: { name: "Solok" },
    geometry: {
      type: "Polygon",
      coordinates: [ring(100.78, -1.02, 0.16, 9)],
    },
  },
});

const galodo = (now, iso) => ({
  evidence: [
    {
      kind: "observation",
      ref: "awlr:1",
      reason: "opened by rule",
      text: "debris_flow 3.41 m",
      weight: 1,
      at: iso(now - 66 * S),
    },
    {
      kind: "observation",
      ref: "hujan:1",
      reason: "",
      text: "62 mm/h",
      weight: 1,
      at: iso(now - 130 * S),
    },
    {
      kind: "report",
      ref: "r1",
      reason: "",
      text: "7 laporan warga dalam 900 m",
      weight: 1,
      at: iso(now - 26 * S),
    },
    {
      kind: "note",
      ref: "n",
      reason: "",
      text: "Warga Muaro Paneh mendengar gemuruh",
      weight: 1,
      at: iso(now - 300 * S),
    },
  ],
  why: {
    rule: "muka-air",
    inputs: [
      {
        thing: "awlr:1",
        property: "water_level",
        value: 3.41,
        unit: "m",
        at: iso(now - 66 * S),
      },
    ],
  },
});
const owned = (owner) => () => ({ owner });

const THINGS = [
  thing(
    "awlr:1",
    "river_gauge",
    "AWLR Bukit Sileh",
    100.69,
    -0.9,
    66,
    300,
    3.41,
    "m",
  ),
  thing(
    "awlr:2",
    "river_gauge",
    "AWLR Batang Lembang",
    100.63,
    -0.83,
    40,
    300,
    1.2,
    "m",
  ),
  thing(
    "awlr:3",
    "river_gauge",
    "AWLR Alahan Panjang",
    100.79,
    -1.09,
    90,
    300,
    0.8,
    "m",
  ),
  thing(
    "hujan:1",
    "rain_gauge",
    "Hujan Kayu Aro",
    100.66,
    -0.97,
    130,
    600,
    62,
    "mm/h",
  ),
  thing(
    "hujan:2",
    "rain_gauge",
    "Hujan Sirukam",
    100.83,
    -0.86,
    200,
    600,
    12,
    "mm/h",
  ),
  thing(
    "hujan:3",
    "rain_gauge",
    "Hujan Surian",
    100.86,
    -1.26,
    26 * 60,
    600,
    2,
    "mm/h",
  ),
  thing(
    "gempa:1",
    "seismometer",
    "Seismik Talang",
    100.68,
    -0.98,
    3,
    10,
    1,
    "",
  ),
];
const all = (list, now, iso) => list.map((f) => f(now, iso));

export const scenes = {
  flood: {
    start: Date.UTC(2026, 10, 22, 7, 2, 40),
    make: (now, iso) => ({
      things: all(THINGS, now, iso),
      incidents: all(
        [
          incident(
            418,
            "Extreme",
            "new",
            "Galodo, Batang Lembang, Muaro Paneh",
            "Bukit Sundi",
            100.66,
            -0.862,
            53,
            galodo,
          ),
          incident(
            415,
            "Severe",
            "dispatched",
            "Longsor, Aie Dingin",
            "Lembah Gumanti",
            100.8,
            -1.13,
            2100,
            owned("TRC-2"),
          ),
          incident(
            412,
            "Severe",
            "on_scene",
            "Banjir, Alahan Panjang",
            "Lembah Gumanti",
            100.775,
            -1.075,
            3000,
            owned("TRC-1"),
          ),
          incident(
            416,
            "Severe",
            "acknowledged",
            "Jalan tertutup, Koto Anau",
            "Lembang Jaya",
            100.715,
            -0.945,
            1400,
          ),
          incident(
            417,
            "Moderate",
            "acknowledged",
            "Pohon tumbang, Talang",
            "Gunung Talang",
            100.625,
            -0.885,
            1100,
          ),
          incident(
            413,
            "Moderate",
            "dispatched",
            "Listrik padam, Bukit Sileh",
            "Lembang Jaya",
            100.74,
            -0.985,
            2500,
            owned("PLN"),
          ),
          incident(
            414,
            "Moderate",
            "acknowledged",
            "Truk terguling, Lubuk Selasih",
            "Gunung Talang",
            100.565,
            -0.945,
            2300,
          ),
          incident(
            419,
            "Unknown",
            "new",
            "Tanah bergerak, Sirukam",
            "Payung Sekaki",
            100.79,
            -0.89,
            26,
          ),
          incident(
            410,
            "Minor",
            "acknowledged",
            "Lampu jalan mati, Paninggahan",
            "Junjung Sirih",
            100.52,
            -0.68,
            9000,
          ),
          incident(
            411,
            "Minor",
            "acknowledged",
            "Sampah menumpuk, Singkarak",
            "X Koto Singkarak",
            100.6,
            -0.7,
            8000,
          ),
        ],
        now,
        iso,
      ),
      alerts: all(
        [
          nowcast,
          quake(
            "q1",
            2.9,
            100.55,
            -0.99,
            235,
            "12 km barat daya Kab. Solok",
            "Minor",
            true,
            22,
          ),
        ],
        now,
        iso,
      ),
    }),
  },
  calm: {
    start: Date.UTC(2026, 10, 20, 19, 14, 2),
    storage: "volatile",
    make: (now, iso) => ({
      things: all(
        THINGS.filter((t) => t(now, iso).id !== "hujan:3"),
        now,
        iso,
      ),
      incidents: [],
      alerts: all(
        [
          quake("q1", 2.9, 100.85, -0.7, 300, "Sawahlunto", "Minor", true, 22),
          quake(
            "q2",
            5.1,
            99.9,
            -1.5,
            25,
            "81 km barat daya Padang",
            "Minor",
            false,
            122,
          ),
        ],
        now,
        iso,
      ),
    }),
  },
  empty: {
    start: Date.UTC(2026, 10, 20, 19, 14, 2),
    make: () => ({ things: [], incidents: [], alerts: [] }),
  },
  simulated: {
    start: Date.UTC(2026, 10, 22, 7, 2, 40),
    make: (now, iso) => ({
      things: all(THINGS, now, iso),
      incidents: all(
        [
          incident(
            418,
            "Severe",
            "acknowledged",
            "Banjir, Batang Lembang",
            "Bukit Sundi",
            100.66,
            -0.862,
            530,
            () => ({ ...galodo(now, iso), simulated: true, owner: "Piket" }),
          ),
        ],
        now,
        iso,
      ),
      alerts: [],
    }),
  },
  odd: {
    start: Date.UTC(2026, 10, 22, 7, 2, 40),
    storage: "weak",
    make: (now, iso) => ({
      things: [],
      incidents: all(
        [
          incident(
            1,
            "Extreme",
            "new",
            "A".repeat(300),
            "B".repeat(200),
            100.66,
            -0.862,
            53,
          ),
          incident(
            2,
            "Severe",
            "new",
            "\u202eإنذار فيضان عاجل, \u202eوادي سولوك الكبير جدا جدا جدا جدا",
            "",
            100.66,
            -0.862,
            5300,
          ),
          incident(
            3,
            "Moderate",
            "new",
            `Z${"\u0341\u0342\u0343\u0344\u0345".repeat(40)}algo, here`,
            "",
            100.67,
            -0.862,
            5300,
          ),
          incident(
            4,
            "Severe",
            "acknowledged",
            "<img src=x onerror=alert(1)>, <b>bold</b>",
            "",
            null,
            null,
            5300,
            owned("O".repeat(90)),
          ),
          ...Array.from({ length: 30 }, (_, i) =>
            incident(
              100 + i,
              "Minor",
              "acknowledged",
              `Laporan ${i}`,
              "Kubung",
              100.6 + (i % 6) * 0.05,
              -0.8 - Math.floor(i / 6) * 0.05,
              5300,
            ),
          ),
        ],
        now,
        iso,
      ),
      alerts: all(
        [
          nowcast,
          nowcast,
          quake("q9", 7.4, 99.5, -1.5, 3, "Mentawai", "Severe", true, 150),
        ],
        now,
        iso,
      ).map((a, i) => ({ ...a, id: `${a.id}${i}` })),
    }),
  },
};

const FEEDS = [
  ["autogempa", "bmkg", 60, 41],
  ["awlr", "pupr", 300, 180],
  ["gempadirasakan", "bmkg", 120, 60],
  ["gempaterkini", "bmkg", 120, 75],
  ["hujan", "bpbd", 600, 240],
  ["nowcast", "bmkg", 120, 66],
  ["usgs", "usgs", 60, 22],
];

export function feedsOf(scene, now, iso) {
  if (scene === "empty") return [];
  return FEEDS.map(([name, agency, interval_s, ageS]) => {
    const late = scene === "flood" && name === "hujan";
    return {
      name,
      format: "native",
      transport: "poll",
      agency,
      state: late ? "late" : "ok",
      reason: "",
      last_success: iso(now - (late ? 26 * 60 : ageS) * S - (now % S)),
      last_error: "",
      last_error_at: null,
      interval_s,
      items_per_minute: 1,
      lag_ms: 20,
      rejects: 0,
      simulated: false,
      attribution: agency === "bmkg" ? "Sumber: BMKG" : "",
    };
  });
}
