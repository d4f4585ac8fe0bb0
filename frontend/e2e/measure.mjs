// How a page's main thread and heap are measured: by thread time of its trace, which other work on the machine does not lengthen, and after
// forced collections.

/** Tasks of the main threads within `forS` seconds, by thread. */
export async function traced(cdp, forS) {
  const events = [];
  const keep = ({ value }) => {
    for (const e of value) {
      if (e.name === "RunTask" || e.name === "thread_name") events.push(e);
    }
  };
  cdp.on("Tracing.dataCollected", keep);
  await cdp.send("Tracing.start", {
    transferMode: "ReportEvents",
    traceConfig: {
      includedCategories: [
        "disabled-by-default-devtools.timeline",
        "__metadata",
      ],
      excludedCategories: ["*"],
    },
  });
  await new Promise((done) => setTimeout(done, forS * 1_000));
  const over = new Promise((done) => cdp.once("Tracing.tracingComplete", done));
  await cdp.send("Tracing.end");
  await over;
  cdp.off("Tracing.dataCollected", keep);
  const mains = new Set(
    events
      .filter(
        (e) => e.name === "thread_name" && e.args.name === "CrRendererMain",
      )
      .map((e) => `${e.pid}/${e.tid}`),
  );
  // One page is open: the renderer that worked is its.
  const byThread = new Map();
  for (const e of events) {
    const key = `${e.pid}/${e.tid}`;
    if (e.ph !== "X" || !mains.has(key)) continue;
    const list = byThread.get(key);
    if (list) list.push(e);
    else byThread.set(key, [e]);
  }
  return byThread;
}

/** Wall and CPU time of the busiest main thread in windows of one tick, milliseconds. */
export function perTick(byThread, tickMs) {
  const sum = (list) => list.reduce((n, e) => n + (e.dur ?? 0), 0);
  const [busiest = []] = [...byThread.values()].sort((a, b) => sum(b) - sum(a));
  const wall = new Map();
  const cpu = new Map();
  for (const e of busiest) {
    const tick = Math.floor(e.ts / 1_000 / tickMs);
    wall.set(tick, (wall.get(tick) ?? 0) + e.dur / 1_000);
    cpu.set(tick, (cpu.get(tick) ?? 0) + (e.tdur ?? e.dur) / 1_000);
  }
  return { wall: [...wall.values()], cpu: [...cpu.values()] };
}

export function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  return (
    sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0
  );
}

/** Of JavaScript after a forced collection, megabytes; and DOM nodes. */
export async function heapOf(cdp) {
  await cdp.send("HeapProfiler.collectGarbage");
  const { metrics } = await cdp.send("Performance.getMetrics");
  const of = (name) => metrics.find((m) => m.name === name).value;
  return { mb: of("JSHeapUsedSize") / 2 ** 20, nodes: of("Nodes") };
}

/** Slope by least squares and its standard error, in y by x. */
export function slope(points) {
  const n = points.length;
  const mx = points.reduce((s, [x]) => s + x, 0) / n;
  const my = points.reduce((s, [, y]) => s + y, 0) / n;
  const down = points.reduce((s, [x]) => s + (x - mx) ** 2, 0);
  if (down === 0 || n < 3) return { by: 0, error: Infinity };
  const by = points.reduce((s, [x, y]) => s + (x - mx) * (y - my), 0) / down;
  const left = points.reduce(
    (s, [x, y]) => s + (y - my - by * (x - mx)) ** 2,
    0,
  );
  return { by, error: Math.sqrt(left / (n - 2) / down) };
}
