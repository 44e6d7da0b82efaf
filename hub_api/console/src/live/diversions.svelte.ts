import { api, ApiFailure, ask, type Schemas } from "../api/client";

export type DivertPlace = Schemas["DiversionPlaceView"];

const AGAIN_MS = 5000;
/** Straight to the nearest rally point by the autopilot itself, at once and without a plan of its own. */
export const STRAIGHT = "straight";

/** Where the flight of one drone may be sent to, asked for while somebody chooses. */
class Diversions {
  places = $state.raw<readonly DivertPlace[]>([]);
  failure = $state.raw<ApiFailure | null>(null);
  #droneId: string | null = null;

  /** Ask now and again for this drone, until the returned function is called. */
  follow(droneId: string): () => void {
    this.#droneId = droneId;
    this.places = [];
    this.failure = null;
    void this.#load(droneId);
    const timer = setInterval(() => void this.#load(droneId), AGAIN_MS);
    return () => {
      clearInterval(timer);
      if (this.#droneId === droneId) this.#droneId = null;
      this.places = [];
    };
  }

  find(key: string | null): DivertPlace | undefined {
    return this.places.find((place) => keyOf(place) === key);
  }

  async #load(droneId: string): Promise<void> {
    try {
      const answer = await ask(api.GET("/v1/drones/{drone_id}/diversions", { params: { path: { drone_id: droneId } } }));
      if (this.#droneId !== droneId) return;
      this.places = answer.places;
      this.failure = null;
    } catch (error) {
      if (this.#droneId === droneId) this.failure = error as ApiFailure;
    }
  }
}

export function keyOf(place: { kind: string; id: string }): string {
  return `${place.kind}/${place.id}`;
}

export const diversions = new Diversions();
