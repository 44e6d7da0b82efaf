import { play, soundBlocked, unlockSound, type Tone } from "../lib/sound";
import { type Level, levelOf, QUESTIONS } from "./alarm-levels";
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
};

/** An urgent alarm is heard again until somebody acknowledged it. */
const REPEAT_MS: Record<Level, number> = { urgent: 2500, caution: 12_000, notice: 0 };
const KEPT = 50;

/** Alarms of this screen: shown and heard until somebody here acknowledged them. */
class Alarms {
  list = $state.raw<readonly Alarm[]>([]);
  /** The browser has not let us be heard yet. */
  blocked = $state(true);
  #lastHeard: Record<Level, number> = { urgent: 0, caution: 0, notice: 0 };
  #seenOrders = new Set<string>();

  constructor() {
    live.listen((event) => this.#take(event));
    if (typeof window === "undefined") return;
    for (const kind of ["pointerdown", "keydown"]) {
      window.addEventListener(kind, () => void unlockSound().then(() => (this.blocked = soundBlocked())), { once: true });
    }
    setInterval(() => this.#sound(), 500);
  }

  get waiting(): readonly Alarm[] {
    return this.list.filter((alarm) => !alarm.acknowledged);
  }

  acknowledge(id: string): void {
    this.list = this.list.map((alarm) => (alarm.id === id ? { ...alarm, acknowledged: true } : alarm));
  }

  acknowledgeAll(): void {
    this.list = this.list.map((alarm) => ({ ...alarm, acknowledged: true }));
  }

  raise(alarm: Omit<Alarm, "acknowledged">): void {
    if (this.list.some((known) => known.id === alarm.id)) return;
    this.list = [{ ...alarm, acknowledged: false }, ...this.list].slice(0, KEPT);
    this.#lastHeard[alarm.level] = performance.now();
    play(alarm.level);
  }

  clear(): void {
    this.list = [];
  }

  #take(event: HubEvent): void {
    if (event.order_id !== null && event.state !== "AWAITING_APPROVAL") this.#answered(event.order_id);
    if (event.kind === "aed_on_ground") play("good" satisfies Tone);
    if (event.order_id !== null && !this.#seenOrders.has(event.order_id)) {
      this.#seenOrders.add(event.order_id);
      if (event.kind === "order_received") play("notice");
    }
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

  #answered(orderId: string): void {
    if (!this.list.some((alarm) => alarm.orderId === orderId && QUESTIONS.has(alarm.kind))) return;
    this.list = this.list.map((alarm) =>
      alarm.orderId === orderId && QUESTIONS.has(alarm.kind) ? { ...alarm, acknowledged: true } : alarm,
    );
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
