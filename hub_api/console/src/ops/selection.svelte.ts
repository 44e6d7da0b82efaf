/** What the operator looks at: one order, or one drone, and what the map does about it. */
class Selection {
  orderId = $state<string | null>(null);
  droneId = $state<string | null>(null);
  follow = $state(false);
  measuring = $state(false);
  /** Choosing where to divert to, on the map: the chosen place's key, or "" while none is. */
  divertTo = $state<string | null>(null);
  /** A place that the map should show: set by a search or a list. */
  wanted = $state.raw<{ longitudeDeg: number; latitudeDeg: number } | null>(null);

  order(orderId: string | null, droneId: string | null = null): void {
    if (orderId !== this.orderId) this.divertTo = null;
    this.orderId = orderId;
    this.droneId = droneId;
  }

  drone(droneId: string | null, orderId: string | null = null): void {
    this.order(orderId, droneId);
  }

  show(longitudeDeg: number, latitudeDeg: number): void {
    this.follow = false;
    this.wanted = { longitudeDeg, latitudeDeg };
  }

  /** One step back: Escape. */
  back(): void {
    if (this.measuring) this.measuring = false;
    else if (this.divertTo !== null) this.divertTo = null;
    else if (this.follow) this.follow = false;
    else this.order(null);
  }
}

export const selection = new Selection();
