// What this desk has in hand: the selection, the filters, the view, the panel. The house's own truth stays in the Room.
import type { Box } from "../../map/geometry";
import { types as told } from "../../stores/types.svelte";
import type { Room } from "../../stores/room.svelte";
import type { Geometry, Incident, Report } from "../../wire/wire";
import { fetchPast, fetchTypes, type IncidentType } from "../../api/incidents";
import { language } from "../../i18n/lang.svelte";
import { whoAmI, type Me } from "../../api/me";
import { fetchDesks } from "../../api/session";
import type { Point } from "./coordinates";
import { AlarmQueue } from "../alarms/queue.svelte";
import { Deciding } from "../fusion/deciding.svelte";
import { Acts } from "./acts.svelte";
import { Dossier } from "./dossier.svelte";
import { past, shown, type Filters } from "./filter";
import { tellNames } from "../incidents/person";
import { standing } from "../reports/standing";
import { titled } from "./words";
import { readPlace, writePlace, type Place } from "./link";

/** What the panels let the keyboard do; each registers its own when it is drawn. */
export interface Tools {
  search?: () => void;
  resume?: () => void;
  zoom?: (step: number) => void;
  goTo?: () => void;
  /** The form of a new incident takes a place. */
  placed?: (place: Point) => void;
}

export type Tab =
  "alarms" | "incidents" | "suggestions" | "alerts" | "reports" | "feeds";
export type Side =
  "incident" | "new" | "intake" | "simulator" | "health" | "status" | "plans";

const RETRY_MS = 5_000;

export class Desk {
  readonly room: Room;
  readonly dossier = new Dossier();
  readonly tools: Tools = {};
  readonly alarms: AlarmQueue;
  readonly deciding = new Deciding();

  me = $state.raw<Me | null>(null);
  types = $state.raw<readonly IncidentType[]>([]);
  tab = $state<Tab>("incidents");
  side = $state<Side>("incident");
  filters = $state<Filters>(readPlace("").filters);
  selected = $state<string | null>(null);
  /** The acts of the selected incident, with the words that were begun. */
  acts = $state.raw<Acts | null>(null);
  thing = $state<string | null>(null);
  /** The report whose words are open. */
  report = $state<string | null>(null);
  view = $state.raw<Box | null>(null);
  /** Kinds that are switched off; what is new is on. */
  hidden = $state.raw<ReadonlySet<string>>(new Set());
  /** The map gives its next click to the form of a new incident. */
  picking = $state(false);
  /** Plans are drawn on the map. */
  plans = $state(true);
  /** The plan that is looked at. */
  plan = $state<string | null>(null);
  /** The ground of a plan while it is being drawn. */
  sketch = $state.raw<Geometry | null>(null);
  /** Where the new incident, or what was gone to, lies. */
  pin = $state.raw<Point | null>(null);
  /** Where the map is asked to go; a new object each time. */
  goal = $state.raw<{ box: Box; near: boolean } | null>(null);
  help = $state(false);
  /** Shown in the list when closed or cancelled ones are asked for. */
  over = $state.raw<readonly Incident[] | null>(null);

  #acts = new Map<string, Acts>();

  constructor(room: Room, search: string) {
    this.room = room;
    this.alarms = new AlarmQueue(room, () => this.me);
    this.restore(readPlace(search));
  }

  /** Open incidents under the names that whoever reads them knows. */
  incidents = $derived.by(() => this.#titled(this.room.incidents.all));

  /** Incidents of the list, worst first. */
  list = $derived.by(() =>
    shown(
      past(this.filters.status)
        ? this.#titled(this.over ?? [])
        : this.incidents,
      this.filters,
      this.me?.subject ?? "",
    ),
  );

  // A day is told by the minute: the list is not sorted anew with every tick of the clock.
  #minute = $derived.by(() => Math.floor(this.room.now / 60_000) * 60_000);
  /** Reports of the last day, the newest first. */
  reports = $derived.by(() => standing(this.room.reports.all, this.#minute));

  told = $derived.by(() => this.reports.find((r) => r.id === this.report));

  live = $derived.by(() =>
    this.room.incidents.all.find((i) => i.id === this.selected),
  );

  /** The selected incident in its newest picture. */
  chosen = $derived.by(() =>
    this.selected !== null && this.dossier.id === this.selected
      ? this.dossier.latest(this.live)
      : (this.live ?? null),
  );

  #titled(incidents: readonly Incident[]): readonly Incident[] {
    const { current } = language;
    return incidents.map((i) => titled(i, this.types, current));
  }

  /** Whether some object may be treated so; which one, the house says. */
  may(right: string): boolean {
    return this.me?.rights.includes(right) ?? false;
  }

  get mayAct(): boolean {
    return this.may("incident.act");
  }

  /** Acts are sent only over a living connection: who does not see the present must not decide on it. */
  get dead(): boolean {
    return this.room.status.phase !== "live";
  }

  #actsOf(id: string): Acts {
    let acts = this.#acts.get(id);
    if (!acts) {
      acts = new Acts(id, (known) => {
        this.dossier.take(known);
      });
      this.#acts.set(id, acts);
    }
    return acts;
  }

  select(id: string | null): void {
    this.side = "incident";
    this.picking = false;
    this.#choose(id);
  }

  #choose(id: string | null): void {
    this.selected = id;
    this.acts = id === null ? null : this.#actsOf(id);
  }

  /** The next or former row; the first where none is selected. */
  step(by: 1 | -1): void {
    const { list } = this;
    if (list.length === 0) return;
    const at = list.findIndex((i) => i.id === this.selected);
    const to = at < 0 ? 0 : Math.max(0, Math.min(list.length - 1, at + by));
    this.select(list[to]?.id ?? null);
  }

  /** Opens a report, and takes the map to it where its place is known. */
  hear(report: Report): void {
    this.report = report.id;
    const { lng, lat } = report;
    if (lng !== null && lat !== null) this.goTo({ lng, lat });
  }

  /** The next or former report; the first where none is open. */
  stepReport(by: 1 | -1): void {
    const { reports } = this;
    const at = reports.findIndex((r) => r.id === this.report);
    const to = at < 0 ? 0 : Math.max(0, Math.min(reports.length - 1, at + by));
    const next = reports[to];
    if (next) this.hear(next);
  }

  startNew(): void {
    this.side = "new";
    this.picking = false;
  }

  goTo(point: Point, around = 0.02): void {
    const { lng, lat } = point;
    this.goal = {
      box: [lng - around, lat - around, lng + around, lat + around],
      near: true,
    };
  }

  toggle(kind: string): void {
    const hidden = new Set(this.hidden);
    if (!hidden.delete(kind)) hidden.add(kind);
    this.hidden = hidden;
  }

  get place(): Place {
    const { selected: incident, thing, filters, view } = this;
    return { incident, thing, filters: { ...filters }, view };
  }

  restore(place: Place): void {
    this.#choose(place.incident);
    this.thing = place.thing;
    this.filters = place.filters;
    this.view = place.view;
  }

  address(search: string): string {
    return writePlace(this.place, search);
  }

  /** Who sits here and which types there are; asked again until answered. */
  async learn(): Promise<void> {
    const [me, types] = await Promise.all([whoAmI(), fetchTypes()]);
    if (me) this.#sits(me);
    if (types) {
      this.types = types;
      told.all = types;
    }
    if (!me || !types) setTimeout(() => void this.learn(), RETRY_MS);
  }

  /** Who sits here, or what they may do, has changed: the desk stays as it lies, what was read for others is read anew. */
  async seat(me: Me): Promise<void> {
    this.#sits(me);
    this.over = null;
    await Promise.all([this.dossier.forget(), this.readPast()]);
  }

  #sits(me: Me): void {
    this.me = me;
    tellNames([me]);
    void this.readNames();
  }

  /** Who sits at the other desks: acts of theirs are told by name. */
  async readNames(): Promise<void> {
    if (!this.may("desk.staff")) return;
    const answer = await fetchDesks();
    if (answer.ok) tellNames(answer.body.flatMap((d) => d.staff));
  }

  async readPast(): Promise<void> {
    const { status } = this.filters;
    if (!past(status)) {
      this.over = null;
      return;
    }
    const found = await fetchPast(status);
    if (this.filters.status === status) this.over = found;
  }
}
