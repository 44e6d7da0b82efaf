import { api, ApiFailure, ask } from "../api/client";
import { session } from "../api/session.svelte";
import { play, soundBlocked, unlockSound, type Tone } from "../lib/sound";
import { KINDS, type Level, levelOf, QUESTIONS } from "./alarm-levels";
import { live, type HubEvent } from "./live.svelte";

export type Alarm = {
  id: string;
  level: Level;
  kind: string;
  at: string;
  detail: string;
  detailZh: string;
  orderId: string | null;
  droneId: string | null;
  acknowledged: boolean;
  /** Earlier alarms that asked the same: acknowledged with this one. */
  before: readonly string[];
};

/** An urgent alarm is heard again until somebody acknowledged it. */
const REPEAT_MS: Record<Level, number> = { urgent: 2500, caution: 12_000, notice: 0 };
const KEPT = 50;
const TELL_MS = 3000;

/** Alarms: shown and heard until somebody, here or at another screen, acknowledged them. */
class Alarms {
  list = $state.raw<readonly Alarm[]>([]);
  /** The browser has not let us be heard yet. */
  blocked = $state(true);
  #lastHeard: Record<Level, number> = { urgent: 0, caution: 0, notice: 0 };
  #seenOrders = new Set<string>();
  /** Acknowledged here and not told to the hub yet: told again until it knows. */
  #untold = new Set<string>();
  #telling = false;
  /** What the stream told to be acknowledged while the hub was asked: its answer may be older. null: not asked. */
  #meanwhile: Set<string> | null = null;
  #loads = 0;

  constructor() {
    live.listen((event) => this.#take(event));
    live.whenLive(() => void this.#load());
    if (typeof window === "undefined") return;
    for (const kind of ["pointerdown", "keydown"]) {
      window.addEventListener(kind, () => void unlockSound().then(() => (this.blocked = soundBlocked())), { once: true });
    }
    setInterval(() => this.#sound(), 500);
    setInterval(() => void this.#tell(), TELL_MS);
  }

  get waiting(): readonly Alarm[] {
    return this.list.filter((alarm) => !alarm.acknowledged);
  }

  acknowledge(id: string): void {
    this.#seen((alarm) => alarm.id === id);
  }

  acknowledgeAll(): void {
    this.#seen(() => true);
  }

  /** Silent here at once; at every other screen as soon as the hub knows. Who only watches silences only this one. */
  #seen(which: (alarm: Alarm) => boolean): void {
    const found = this.waiting.filter(which);
    this.#silence(which);
    if (!session.may("fleet:command")) return;
    for (const alarm of found) for (const id of [alarm.id, ...alarm.before]) this.#untold.add(id);
    void this.#tell();
  }

  #silence(which: (alarm: Alarm) => boolean): void {
    if (!this.waiting.some(which)) return;
    this.list = this.list.map((alarm) => (which(alarm) ? { ...alarm, acknowledged: true } : alarm));
  }

  async #tell(): Promise<void> {
    if (this.#untold.size === 0 || this.#telling) return;
    const event_ids = [...this.#untold].slice(0, KEPT);
    this.#telling = true;
    try {
      await ask(api.POST("/v1/alarms/acknowledge", { body: { event_ids } }));
      for (const id of event_ids) this.#untold.delete(id);
    } catch (error) {
      // Refused is refused; what was not reached is tried again.
      if (error instanceof ApiFailure && !error.unreachable) for (const id of event_ids) this.#untold.delete(id);
    } finally {
      this.#telling = false;
    }
  }

  raise(alarm: Omit<Alarm, "acknowledged" | "before">): void {
    if (this.list.some((known) => known.id === alarm.id || known.before.includes(alarm.id))) return;
    // A question that is asked again is one alarm: a pile of them would push away what answers it.
    const asked = (known: Alarm): boolean =>
      !known.acknowledged && known.orderId !== null && known.orderId === alarm.orderId && QUESTIONS.has(known.kind) && QUESTIONS.has(alarm.kind);
    const newer = this.list.find((known) => asked(known) && Number(known.id) > Number(alarm.id));
    if (newer !== undefined) {
      this.list = this.list.map((known) => (known === newer ? { ...known, before: [...known.before, alarm.id] } : known));
      return;
    }
    const before = this.list.filter(asked).flatMap((known) => [known.id, ...known.before]);
    const others = this.list.filter((known) => !asked(known));
    // What nobody has seen yet is never dropped to make room.
    const seen = others.filter((known) => known.acknowledged).slice(0, KEPT);
    this.list = [{ ...alarm, acknowledged: false, before }, ...others.filter((known) => !known.acknowledged || seen.includes(known))];
    this.#lastHeard[alarm.level] = performance.now();
    play(alarm.level);
  }

  /** What was raised before this screen was opened, or while it was cut off, and nobody acknowledged. */
  async #load(): Promise<void> {
    const load = ++this.#loads;
    this.#meanwhile ??= new Set();
    try {
      const found = await ask(api.GET("/v1/alarms", { params: { query: { kind: KINDS } } }));
      const orders = new Set(found.events.flatMap((event) => (QUESTIONS.has(event.kind) && event.order_id !== null ? [event.order_id] : [])));
      // Answered meanwhile is no question any more.
      const fresh = await Promise.all([...orders].map((orderId) => live.refreshOrder(orderId)));
      const waits = new Set(fresh.filter((order) => order.state === "AWAITING_APPROVAL").map((order) => order.order_id));
      if (load !== this.#loads) return;
      for (const event of found.events) {
        const answered = QUESTIONS.has(event.kind) && event.order_id !== null && !waits.has(event.order_id);
        if (!answered && !this.#meanwhile.has(event.event_id)) this.#alarm(event);
      }
      this.#meanwhile = null;
    } catch (error) {
      // Whoever may not read them has none; who was cut off asks again with the next connection, else soon.
      if (error instanceof ApiFailure && !error.unreachable) return;
      setTimeout(() => load === this.#loads && session.token !== null && void this.#load(), TELL_MS);
    }
  }

  clear(): void {
    this.#loads += 1;
    this.#meanwhile = null;
    this.list = [];
    this.#untold.clear();
    this.#seenOrders.clear();
  }

  #take(event: HubEvent): void {
    if (event.kind === "alarm_acknowledged") {
      this.#meanwhile?.add(String(event.data["event_id"]));
      this.#silence((alarm) => alarm.id === event.data["event_id"]);
      return;
    }
    const orderId = event.order_id;
    if (orderId !== null && event.state !== "AWAITING_APPROVAL") {
      this.#silence((alarm) => alarm.orderId === orderId && QUESTIONS.has(alarm.kind));
    }
    if (event.kind === "aed_on_ground") play("good" satisfies Tone);
    if (event.order_id !== null && !this.#seenOrders.has(event.order_id)) {
      this.#seenOrders.add(event.order_id);
      if (event.kind === "order_received") play("notice");
    }
    this.#alarm(event);
  }

  #alarm(event: Omit<HubEvent, "incident_id">): void {
    const level = levelOf(event);
    if (level === null) return;
    this.raise({
      id: event.event_id,
      level,
      kind: event.kind,
      at: event.at,
      detail: event.detail,
      detailZh: event.detail_zh,
      orderId: event.order_id,
      droneId: event.drone_id,
    });
  }

  #sound(): void {
    this.blocked = soundBlocked();
    const now = performance.now();
    for (const level of ["urgent", "caution"] as const) {
      if (!this.waiting.some((alarm) => alarm.level === level)) continue;
      if (now - this.#lastHeard[level] < REPEAT_MS[level]) return;
      this.#lastHeard[level] = now;
      play(level);
      return;
    }
  }
}

export const alarms = new Alarms();
