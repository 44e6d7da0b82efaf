import { hubUrl } from "../api/client";
import { session } from "../api/session.svelte";
import { live, type HubEvent } from "./live.svelte";

const AGAIN_MS = 2000;

/**
 * Everything that happened to one order: first what is stored, then what happens, from the order's own stream. One
 * order at a time, the one that somebody looks at.
 */
class History {
  orderId = $state<string | null>(null);
  events = $state.raw<readonly HubEvent[]>([]);
  #stop: AbortController | null = null;

  /** Follow this order; null: none. */
  follow(orderId: string | null): void {
    if (orderId === this.orderId) return;
    this.#stop?.abort();
    this.#stop = null;
    this.orderId = orderId;
    this.events = [];
    if (orderId === null) return;
    const stop = new AbortController();
    this.#stop = stop;
    void this.#read(orderId, stop.signal);
  }

  async #read(orderId: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const last = this.events[this.events.length - 1]?.event_id ?? "0";
        const response = await fetch(hubUrl(`v1/orders/${orderId}/events?after=${last}`), {
          headers: { Authorization: `Bearer ${session.token ?? ""}` },
          signal,
        });
        if (response.ok && response.body !== null && (await this.#take(orderId, response.body))) return;
      } catch {
        // Cut: the banner says so; what is missing is read when the hub answers again.
      }
      await new Promise((done) => setTimeout(done, AGAIN_MS));
    }
  }

  /** Whether the stream ended by itself: the order is over. */
  async #take(orderId: string, body: ReadableStream<Uint8Array>): Promise<boolean> {
    const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop() ?? "";
      const found = blocks.map(parse).filter((event) => event !== null);
      if (found.length > 0 && this.orderId === orderId) this.events = [...this.events, ...found];
    }
    const state = live.details.get(orderId)?.state;
    return state !== undefined && ["CLOSED", "CANCELLED", "DECLINED", "FAILED"].includes(state);
  }
}

/** One server-sent event; null for a comment. */
function parse(block: string): HubEvent | null {
  const data = block
    .split("\n")
    .filter((line) => line.startsWith("data: "))
    .map((line) => line.slice(6))
    .join("\n");
  return data === "" ? null : (JSON.parse(data) as HubEvent);
}

export const history = new History();
