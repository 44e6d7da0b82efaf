import { SvelteMap } from "svelte/reactivity";
import { api, ask, type Schemas } from "../api/client";
import { live } from "./live.svelte";

const AGAIN_MS = 5000;
/** Chosen: more flights than any hub has under way at once. */
const KEPT = 300;

/** Plans of the flights under way, asked for once and again when a flight took another route. */
class Plans {
  readonly byFlight = new SvelteMap<string, Schemas["FlightPlanView"]>();
  #asked = new Map<string, number>();

  constructor() {
    live.listen((event) => {
      if (event.kind === "flight_rerouted" && event.flight_id !== null) {
        this.#asked.delete(event.flight_id);
        this.want(event.flight_id);
      }
    });
  }

  /** Have this plan here soon. */
  want(flightId: string): void {
    const asked = this.#asked.get(flightId);
    const now = performance.now();
    if (asked !== undefined && (this.byFlight.has(flightId) || now - asked < AGAIN_MS)) return;
    this.#asked.set(flightId, now);
    ask(api.GET("/v1/flights/{flight_id}/plan", { params: { path: { flight_id: flightId } } }))
      .then((plan) => {
        this.byFlight.set(flightId, plan);
        // The oldest goes; one that is still needed is asked for again.
        const [oldest] = this.byFlight.keys();
        if (this.byFlight.size > KEPT && oldest !== undefined) {
          this.byFlight.delete(oldest);
          this.#asked.delete(oldest);
        }
      })
      .catch(() => undefined);
  }
}

export const plans = new Plans();
