import { api, ask, type Schemas } from "../api/client";
import { session } from "../api/session.svelte";
import { clock } from "./clock.svelte";
import { isOpen, live } from "./live.svelte";

export type Ambulance = Schemas["AmbulancePositionView"];

const POLL_MS = 4000;

/** Where the ambulances of open incidents are, asked for while there is an open order. Never shown without its age. */
class Ambulances {
  list = $state.raw<readonly Ambulance[]>([]);

  /** Ask now and again until the returned function is called. */
  follow(): () => void {
    void this.#load();
    const timer = setInterval(() => void this.#load(), POLL_MS);
    return () => {
      clearInterval(timer);
      this.list = [];
    };
  }

  of(incidentId: string | null): Ambulance | undefined {
    return this.list.find((ambulance) => ambulance.incident_id === incidentId);
  }

  /** Seconds since it was there, by the hub's clock; drawn anew with every tick. */
  ageS(ambulance: Ambulance): number {
    return Math.max(0, -clock.secondsUntil(ambulance.at));
  }

  /** Too old to be where it is, or nobody can tell. */
  stale(ambulance: Ambulance): boolean {
    return live.link === "cut" || this.ageS(ambulance) > (live.settings?.ambulance_stale_s ?? 30);
  }

  async #load(): Promise<void> {
    if (!session.may("orders:read") || !live.orders.some((order) => isOpen(order.state))) return;
    try {
      this.list = (await ask(api.GET("/v1/ambulances"))).ambulances;
    } catch {
      // What is known grows old and says so.
    }
  }
}

export const ambulances = new Ambulances();
