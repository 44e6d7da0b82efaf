import { SvelteMap } from "svelte/reactivity";
import { ApiFailure, api, ask, hubUrl, type Schemas } from "../api/client";
import { session } from "../api/session.svelte";
import { either } from "../i18n/language.svelte";
import { clock } from "./clock.svelte";
import { HubStream, type Link, type StreamEvent } from "./stream";
import { isStale, Telemetry } from "./telemetry";

const POLL_MS = 3000;
const CLOCK_MS = 10_000;
/** All drones in one message, as often as vehicles speak. */
const TELEMETRY_EVERY_S = 0.25;
/** Several events of one moment make one question to the hub. */
const SOON_MS = 150;
const RECENT_ORDERS = 50;
const ZONES_TIMEOUT_S = 60;
const NOT_MODIFIED = 304;
/** Of one answer (hub_api/features/orders/routes.py). */
const MOST_ORDERS = 200;
const OPEN = ["RECEIVED", "AWAITING_APPROVAL", "DECIDED", "LAUNCHING", "AIRBORNE", "DELIVERING", "DELIVERED", "RETURNING", "REDECIDING", "WAITING", "CANCELLING", "MERGED", "FAILING"] as const satisfies Schemas["OrderState"][];
const TERMINAL = new Set(["DECLINED", "CLOSED", "CANCELLED", "FAILED"]);

export type Order = Schemas["OrderView"];
export type OrderLine = Schemas["OrderSummary"];
export type Drone = Schemas["DroneLiveView"];
export type Station = Schemas["StationView"];
export type LandingPoint = Schemas["LandingPointView"];
export type Zones = Schemas["ZoneCollection"];
export type HubEvent = Omit<StreamEvent, "type">;

export function isOpen(state: string): boolean {
  return !TERMINAL.has(state);
}

/**
 * What the hub knows right now, for every page. Filled by questions, kept up to date by the live stream: an event
 * says that something changed, the hub is then asked how it is. So no page ever works out a state by itself.
 */
class Live {
  link = $state<Link>("connecting");
  /** Our monotonic clock (ms) when the stream broke; null while it is live. */
  cutAtMs = $state<number | null>(null);
  loaded = $state(false);
  failure = $state.raw<ApiFailure | null>(null);
  settings = $state.raw<Schemas["ConsoleSettings"] | null>(null);
  health = $state.raw<Schemas["HealthView"] | null>(null);
  drones = $state.raw<readonly Drone[]>([]);
  stations = $state.raw<readonly Station[]>([]);
  landingPoints = $state.raw<readonly LandingPoint[]>([]);
  zones = $state.raw<Zones | null>(null);
  /** The hub could not be asked whether these are still the zones of this moment. */
  zonesOld = $state(false);
  /** Newest first. */
  orders = $state.raw<readonly OrderLine[]>([]);
  /** Open orders in full, and every other that a page asked for. */
  details = new SvelteMap<string, Order>();
  /** Incidents that a page asked for. */
  incidents = new SvelteMap<string, Schemas["IncidentView"]>();
  readonly telemetry = new Telemetry();
  readonly #onLive = new Set<() => void>();
  readonly #listeners = new Set<(event: HubEvent) => void>();
  #stream: HubStream | null = null;
  #timers: ReturnType<typeof setInterval>[] = [];
  /** Counts up with every start and stop: what was asked before belongs to nobody any more. */
  #run = 0;
  #zonesTag: string | null = null;
  #zonesAsked = false;
  #zonesWanted = false;
  #zonesAgain: ReturnType<typeof setTimeout> | undefined;
  #soon = new Map<string, ReturnType<typeof setTimeout>>();

  constructor() {
    if (typeof window === "undefined") return;
    window.addEventListener("online", () => this.#stream?.hurry());
    window.addEventListener("offline", () => this.#stream?.lost());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.#stream?.hurry();
    });
  }

  /** Somebody logged in. */
  async start(): Promise<void> {
    this.stop();
    const run = this.#run;
    try {
      const [settings] = await Promise.all([ask(api.GET("/v1/console/settings")), this.refreshAll()]);
      if (run !== this.#run) return;
      this.settings = settings;
      clock.timezone = settings.timezone;
      this.failure = null;
      this.loaded = true;
    } catch (error) {
      if (run !== this.#run) return;
      this.failure = error as ApiFailure;
      this.#timers.push(setTimeout(() => void this.start(), POLL_MS));
      return;
    }
    // A city's zones are megabytes: no page waits for them, and the map says until when they are missing.
    this.refreshZones();
    this.#stream = new HubStream({
      url: () => streamUrl(),
      token: () => session.token,
      onEvent: (event) => this.#onEvent(event),
      onTelemetry: (sample) => this.telemetry.take(sample, performance.now()),
      onLink: (link, resumed) => this.#onLink(link, resumed),
      onRefused: () => void session.renew().catch(() => session.refused()),
    });
    this.#stream.start();
    this.#timers.push(
      setInterval(() => void this.refreshFleet().catch(() => undefined), POLL_MS),
      setInterval(() => void this.refreshHealth().catch(() => undefined), CLOCK_MS),
      // What was missed, and what changes without an event: an authorisation begins or ends by the clock.
      setInterval(() => this.refreshZones(), CLOCK_MS),
    );
  }

  stop(): void {
    this.#run += 1;
    this.#stream?.stop();
    this.#stream = null;
    for (const timer of [...this.#timers, ...this.#soon.values()]) clearTimeout(timer);
    this.#timers = [];
    this.#soon.clear();
    clearTimeout(this.#zonesAgain);
    this.loaded = false;
    this.telemetry.clear();
    this.details.clear();
    this.incidents.clear();
    this.orders = [];
    this.drones = [];
    this.zones = null;
    this.zonesOld = false;
    this.#zonesTag = null;
    this.#zonesAsked = this.#zonesWanted = false;
    this.link = "connecting";
    this.cutAtMs = null;
  }

  /** Told every event of the stream. Returns how to stop it. */
  listen(listener: (event: HubEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Told each time the stream has begun: what is asked then and what it tells leave no gap between them. */
  whenLive(listener: () => void): void {
    this.#onLive.add(listener);
  }

  drone(droneId: string | null | undefined): Drone | undefined {
    return this.drones.find((drone) => drone.drone_id === droneId);
  }

  station(stationId: string | null | undefined): Station | undefined {
    return this.stations.find((station) => station.station_id === stationId);
  }

  landingPoint(id: string | null | undefined): LandingPoint | undefined {
    return this.landingPoints.find((point) => point.landing_point_id === id);
  }

  /** A sentence of the hub with places called by their names instead of their ids, in the chosen language. */
  named(sentence: string): string {
    return sentence.replace(/[A-Za-z0-9][A-Za-z0-9._-]*-[A-Za-z0-9._-]*[A-Za-z0-9]/g, (id) => {
      const place = this.landingPoint(id) ?? this.station(id);
      return place === undefined ? id : either(place.name, place.name_zh);
    });
  }

  /** Seconds since the vehicle was heard; null: never. Drawn anew with every tick of the clock. */
  ageS(droneId: string): number | null {
    void clock.tick;
    return this.telemetry.ageS(droneId, performance.now(), clock.speedup);
  }

  stale(ageS: number | null): boolean {
    return isStale(ageS, this.settings?.telemetry_stale_s ?? 5, clock.speedup);
  }

  async refreshAll(): Promise<void> {
    await Promise.all([this.refreshHealth(), this.refreshFleet(), this.refreshPlaces(), this.refreshOrders()]);
  }

  async refreshHealth(): Promise<void> {
    const health = await ask(api.GET("/v1/health"));
    clock.set(health.now, health.speedup);
    this.health = health;
  }

  async refreshFleet(): Promise<void> {
    if (!session.may("fleet:read")) return;
    const [drones, stations] = await Promise.all([ask(api.GET("/v1/drones")), ask(api.GET("/v1/stations"))]);
    this.drones = drones.drones;
    this.stations = stations.stations;
  }

  async refreshPlaces(): Promise<void> {
    if (!session.may("fleet:read")) return;
    this.landingPoints = (await ask(api.GET("/v1/landing-points"))).landing_points;
  }

  /** Have the zones of this moment here soon. Where nothing has changed the hub says so in a few bytes. */
  refreshZones(): void {
    if (!session.may("zones:read")) return;
    // One question at a time: over a slow line each one would otherwise be overtaken by the next before its answer is here.
    this.#zonesWanted = true;
    if (!this.#zonesAsked) void this.#askZones(this.#run);
  }

  async #askZones(run: number): Promise<void> {
    this.#zonesAsked = true;
    clearTimeout(this.#zonesAgain);
    while (this.#zonesWanted && run === this.#run) {
      this.#zonesWanted = false;
      try {
        const known = this.zones === null ? null : this.#zonesTag;
        const answered = api.GET("/v1/zones", { params: { header: { ...(known !== null && { "if-none-match": known }) } } });
        const zones = await ask(answered, ZONES_TIMEOUT_S);
        const tag = (await answered).response.headers.get("ETag");
        if (run !== this.#run) return;
        [this.zones, this.#zonesTag, this.zonesOld] = [zones, tag, false];
      } catch (error) {
        if (run !== this.#run) return;
        this.zonesOld = !(error instanceof ApiFailure && error.status === NOT_MODIFIED);
        if (!this.zonesOld) continue;
        // Without zones a map looks free: asked again until they are here.
        this.#zonesAgain = setTimeout(() => this.refreshZones(), POLL_MS);
        break;
      }
    }
    this.#zonesAsked = false;
  }

  async refreshOrders(): Promise<void> {
    if (!session.may("orders:read")) return;
    const [recent, unfinished] = await Promise.all([
      ask(api.GET("/v1/orders", { params: { query: { limit: RECENT_ORDERS } } })),
      // In a busy hour an order that still waits is older than the newest fifty.
      ask(api.GET("/v1/orders", { params: { query: { state: OPEN, limit: MOST_ORDERS } } })),
    ]);
    const found = new Map([...unfinished.orders, ...recent.orders].map((line) => [line.order_id, line]));
    // Their ids carry their time.
    this.orders = [...found.values()].sort((a, b) => (a.order_id < b.order_id ? 1 : -1));
    this.#forget();
    const open = this.orders.filter((line) => isOpen(line.state) || this.details.has(line.order_id));
    await Promise.all(open.map((line) => this.refreshOrder(line.order_id)));
  }

  async refreshOrder(orderId: string): Promise<Order> {
    const order = await ask(api.GET("/v1/orders/{order_id}", { params: { path: { order_id: orderId } } }));
    this.details.set(orderId, order);
    const line: OrderLine = {
      order_id: order.order_id,
      incident_id: order.incident_id,
      state: order.state,
      mode: order.mode,
      drill: order.drill,
      merged_into: order.merged_into,
      received_at: order.received_at,
      severity: order.severity,
      incident_reference: order.incident_reference,
      outcome: order.decision?.outcome ?? null,
      drone_id: order.decision?.drone_id ?? null,
      aed_on_ground_at: order.aed_on_ground_at,
      finished_at: order.finished_at,
    };
    const known = this.orders.some((item) => item.order_id === orderId);
    this.orders = known
      ? this.orders.map((item) => (item.order_id === orderId ? line : item))
      : [line, ...this.orders];
    if (!known) this.#forget();
    return order;
  }

  /** A wall screen runs for months: of orders that are over only the newest are kept, and what hangs on them. */
  #forget(): void {
    this.orders = this.orders.filter((line, i) => i < RECENT_ORDERS || isOpen(line.state));
    const kept = new Set(this.orders.map((line) => line.order_id));
    for (const orderId of this.details.keys()) if (!kept.has(orderId)) this.details.delete(orderId);
    const incidents = new Set([...this.details.values()].map((order) => order.incident_id));
    for (const incidentId of this.incidents.keys()) if (!incidents.has(incidentId)) this.incidents.delete(incidentId);
  }

  async refreshIncident(incidentId: string): Promise<void> {
    const path = { incident_id: incidentId };
    this.incidents.set(incidentId, await ask(api.GET("/v1/incidents/{incident_id}", { params: { path } })));
  }

  #onEvent(event: StreamEvent): void {
    const orderId = event.order_id;
    if (orderId !== null && session.may("orders:read")) {
      this.#later(orderId, () => this.refreshOrder(orderId));
    }
    if (event.drone_id !== null) this.#later("fleet", () => this.refreshFleet());
    if (event.kind === "airspace_in_force") this.#later("zones", () => Promise.resolve(this.refreshZones()));
    if (event.kind === "site_changed") this.#later("site", () => Promise.all([this.refreshFleet(), this.refreshPlaces()]));
    for (const listener of this.#listeners) listener(event);
  }

  #onLink(link: Link, resumed: boolean): void {
    if (link === "live" && this.link !== "live") {
      this.cutAtMs = null;
      // What is not an event (zones, readiness, a restarted hub) may have changed meanwhile.
      if (!resumed || this.link === "cut" || this.loaded) {
        this.#later("all", () => this.refreshAll());
        this.#later("zones", () => Promise.resolve(this.refreshZones()));
      }
    }
    if (link === "cut" || (link === "connecting" && this.cutAtMs !== null)) {
      this.cutAtMs ??= performance.now();
      this.link = "cut";
      return;
    }
    const began = link === "live" && this.link !== "live";
    this.link = link;
    if (began) for (const listener of this.#onLive) listener();
  }

  #later(key: string, work: () => Promise<unknown>): void {
    if (this.#soon.has(key)) return;
    const timer = setTimeout(() => {
      this.#soon.delete(key);
      work().catch(() => undefined);
    }, SOON_MS);
    this.#soon.set(key, timer);
  }
}

function streamUrl(): URL {
  const url = hubUrl("v1/stream");
  const wanted = [
    ["incidents", "orders:read"],
    ["fleet", "fleet:read"],
    ["telemetry", "fleet:read"],
  ] as const;
  for (const [topic, scope] of wanted) if (session.may(scope)) url.searchParams.append("topics", topic);
  url.searchParams.set("telemetry_every_s", String(TELEMETRY_EVERY_S));
  return url;
}

export const live = new Live();
