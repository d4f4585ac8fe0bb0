// What this screen knows of the house: one store per noun, the server's clock, the state of the connection.
// Everything enters by receive(), in the order of the socket; components only read.
import type {
  Alarm,
  Alert,
  AreaStatus,
  Call,
  Dispatch,
  FeedStatus,
  Incident,
  Plan,
  Report,
  Statement,
  Suggestion,
  Unit,
} from "../wire/wire";
import type { Message, Status } from "../live/socket";
import { ServerClock } from "../live/clock";
import { Spread } from "../live/spread";
import { instant } from "../i18n/format";
import { parseCursor } from "./cursor";
import { createFrame, type Frame } from "./frame";
import { Fleet } from "./fleet.svelte";
import { Hexes } from "./hexes.svelte";
import { Noun } from "./noun.svelte";
import type { Profile } from "../api/profile";

/** Milliseconds; null where the server has not measured any. */
export interface Latency {
  event_p50: number | null;
  event_p99: number | null;
  receipt_p50: number | null;
  receipt_p99: number | null;
}

/** What a person may wait for: its way to the frame that shows it is measured. */
const AWAITED = new Set(["incident", "alert", "alarm"]);

const open = (incident: Incident) =>
  incident.status !== "closed" && incident.status !== "cancelled";

const active = (alert: Alert) => alert.state === "active";

/** Reports stand for a day, as in the server's snapshot; age alone does not take one from the list before the next. */
const standing = (report: Report) => report.status !== "closed";

/** An alarm leaves the screen when it is over, unless it waits for somebody to take note. */
const alarming = (alarm: Alarm) =>
  alarm.state !== "cleared" || alarm.latched === true;

const offered = (suggestion: Suggestion) => suggestion.state === "offered";

const ahead = (plan: Plan) =>
  plan.state === "planned" || plan.state === "running";

const binding = (dispatch: Dispatch) =>
  ["offered", "accepted", "en_route", "on_scene"].includes(dispatch.status);

const inForce = (statement: Statement) => statement.state === "in_force";

export class Room {
  readonly clock: ServerClock;
  readonly incidents: Noun<Incident>;
  readonly alerts: Noun<Alert>;
  readonly reports: Noun<Report>;
  /** Of the last minutes; no snapshot holds them. */
  readonly calls: Noun<Call>;
  readonly alarms: Noun<Alarm>;
  readonly suggestions: Noun<Suggestion>;
  readonly plans: Noun<Plan>;
  readonly statements: Noun<Statement>;
  /** The roster; where a unit is travels as a Thing. */
  readonly units: Noun<Unit>;
  /** Those that bind their unit. */
  readonly dispatches: Noun<Dispatch>;
  /** Where the area stands, by hazard. */
  readonly statuses: Noun<AreaStatus>;
  /** Every Thing in view; empty while the view is answered by cells. */
  readonly fleet: Fleet;
  /** Cells in place of crowds; empty while the view is answered by Things. */
  readonly hexes: Hexes;
  readonly feeds: Noun<FeedStatus>;
  /** From the arrival of a message to the frame that shows it. */
  readonly paint = new Spread(200);

  profile = $state.raw<Profile | null>(null);
  status = $state.raw<Status>({
    phase: "connecting",
    heardAt: null,
    attempt: 0,
    retryAt: null,
  });
  /** Milliseconds since 1970 by the server, moved once a second; 0 before it has spoken. */
  now = $state(0);
  storage = $state("");
  version = $state("");
  latency = $state.raw<Latency | null>(null);
  paintMs = $state.raw<number | null>(null);
  /** More reports stand than the snapshot holds. */
  reportsCut = $state(false);
  /** A snapshot has come: an empty list now means that nothing is there. */
  settled = $state(false);
  /** The case stream could be carried on without a gap. */
  resumed = $state(false);

  #monotonic: () => number;
  #frame: Frame;

  constructor(
    monotonic: () => number = () => performance.now(),
    frame: Frame = createFrame(),
  ) {
    this.#monotonic = monotonic;
    this.#frame = frame;
    this.clock = new ServerClock(monotonic);
    this.incidents = new Noun<Incident>(frame, (d) => d.id, open);
    this.alerts = new Noun<Alert>(frame, (d) => d.id, active);
    this.reports = new Noun<Report>(frame, (d) => d.id, standing);
    this.calls = new Noun<Call>(frame, (d) => d.id);
    this.alarms = new Noun<Alarm>(frame, (d) => d.id, alarming);
    this.suggestions = new Noun<Suggestion>(frame, (d) => d.id, offered);
    this.plans = new Noun<Plan>(frame, (d) => d.id, ahead);
    this.statements = new Noun<Statement>(frame, (d) => d.id, inForce);
    this.units = new Noun<Unit>(frame, (d) => d.id);
    this.dispatches = new Noun<Dispatch>(frame, (d) => d.id, binding);
    this.statuses = new Noun<AreaStatus>(frame, (d) => d.id);
    this.fleet = new Fleet(frame, this.#stamp);
    this.hexes = new Hexes(frame, this.#stamp);
    this.feeds = new Noun<FeedStatus>(frame, (d) => d.name);
  }

  /** The room's zone; UTC until the profile is known. */
  get zone(): string {
    return this.profile?.time_zone ?? "UTC";
  }

  get lost(): boolean {
    return this.status.phase === "offline";
  }

  /** The server's time of the last word from it, or null. */
  get heardAt(): number | null {
    const { heardAt } = this.status;
    return heardAt === null ? null : this.clock.at(heardAt);
  }

  /** Cells stand for Things now: the view is wide or crowded. */
  get crowded(): boolean {
    return this.hexes.version > 0 && this.hexes.size > 0;
  }

  /** Anything on this screen that is not real. A simulated Thing comes by a simulated feed: nobody has to look at each. */
  get simulated(): boolean {
    return [
      this.incidents,
      this.alerts,
      this.reports,
      this.alarms,
      this.suggestions,
      this.plans,
      this.statements,
      this.dispatches,
      this.statuses,
      this.feeds,
    ].some((noun) => noun.all.some((d) => d.simulated));
  }

  /** Moves the clock of the screen; ages follow it, and what came since the last frame. */
  tick(): void {
    const now = this.clock.now();
    if (now !== null) this.now = now;
    this.paintMs = this.paint.quantile(0.5);
    this.#frame.flush();
  }

  receive(message: Message): void {
    const at = parseCursor(message.cursor);
    switch (message.type) {
      case "hello": {
        const time = instant(message["server_time"] as string);
        if (time !== null) this.clock.set(time);
        this.storage = (message["storage"] as string | undefined) ?? "";
        this.version = (message["version"] as string | undefined) ?? "";
        this.tick();
        break;
      }
      case "pong": {
        const time = instant(message["server_time"] as string);
        if (time !== null) this.clock.set(time);
        break;
      }
      case "snapshot":
        this.incidents.reset(list<Incident>(message["incidents"]), at);
        this.alerts.reset(list<Alert>(message["alerts"]), at);
        this.reports.reset(list<Report>(message["reports"]), at);
        this.reportsCut = message["reports_cut"] === true;
        this.alarms.reset(list<Alarm>(message["alarms"]), at);
        this.suggestions.reset(list<Suggestion>(message["suggestions"]), at);
        this.plans.reset(list<Plan>(message["plans"]), at);
        this.statements.reset(list<Statement>(message["statements"]), at);
        this.units.reset(list<Unit>(message["units"]), at);
        this.dispatches.reset(list<Dispatch>(message["dispatches"]), at);
        this.statuses.reset(list<AreaStatus>(message["statuses"]), at);
        this.feeds.reset(list<FeedStatus>(message["feeds"]), null);
        this.resumed = message["resumed"] === true;
        this.settled = true;
        break;
      case "incident":
        this.incidents.put(message["incident"] as Incident, at);
        break;
      case "alert":
        this.alerts.put(message["alert"] as Alert, at);
        break;
      case "report":
        this.reports.put(message["report"] as Report, at);
        break;
      case "call":
        this.calls.put(message["call"] as Call, at);
        break;
      case "alarm":
        this.alarms.put(message["alarm"] as Alarm, at);
        break;
      case "suggestion":
        this.suggestions.put(message["suggestion"] as Suggestion, at);
        break;
      case "plan":
        this.plans.put(message["plan"] as Plan, at);
        break;
      case "statement":
        this.statements.put(message["statement"] as Statement, at);
        break;
      case "unit":
        this.units.put(message["unit"] as Unit, at);
        break;
      case "dispatch":
        this.dispatches.put(message["dispatch"] as Dispatch, at);
        break;
      case "status":
        this.statuses.put(message["status"] as AreaStatus, at);
        break;
      case "feed":
        this.#feed(message);
        break;
      case "stats":
        this.#latency = (message["latency_ms"] as Latency | undefined) ?? null;
        this.#frame.along(this.#timed);
        break;
      default:
        // Nouns of later parts pass by: an older screen must not break on them.
        return;
    }
    if (AWAITED.has(message.type)) this.#stamp();
  }

  #feed(message: Message): void {
    const many = list<FeedStatus>(message["feeds"]);
    const one = message["feed"] as FeedStatus | undefined;
    this.feeds.merge(one ? [...many, one] : many);
  }

  #latency: Latency | null = null;
  #timed = () => {
    this.latency = this.#latency;
  };

  #stampedAt: number | null = null;
  #painted = () => {
    if (this.#stampedAt === null) return;
    this.paint.add(this.#monotonic() - this.#stampedAt);
    this.#stampedAt = null;
  };
  /** Notes the arrival of what a person may wait for; the first of a frame counts. */
  #stamp = () => {
    this.#stampedAt ??= this.#monotonic();
    this.#frame.soon(this.#painted);
  };
}

function list<T>(value: unknown): T[] {
  return Array.isArray(value) ? (value as T[]) : [];
}
