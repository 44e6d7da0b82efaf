import type { Order, OrderLine } from "../live/live.svelte";

/** What needs a person first: lower is more urgent. */
const BY_STATE: Record<string, number> = {
  AWAITING_APPROVAL: 0,
  FAILING: 1,
  REDECIDING: 2,
  WAITING: 2,
  DELIVERING: 3,
  AIRBORNE: 3,
  LAUNCHING: 3,
  DECIDED: 3,
  RECEIVED: 3,
  CANCELLING: 4,
  MERGED: 4,
  DELIVERED: 5,
  RETURNING: 6,
};
const BY_SEVERITY: Record<string, number> = { I: 0, II: 1, III: 2, IV: 3 };

/** Open orders, the most urgent first; then by severity, the oldest first. */
export function byUrgency(orders: readonly OrderLine[]): OrderLine[] {
  const rank = (order: OrderLine): number[] => [
    BY_STATE[order.state] ?? 9,
    BY_SEVERITY[order.severity] ?? 9,
    Date.parse(order.received_at),
  ];
  return [...orders].sort((a, b) => {
    const [x, y] = [rank(a), rank(b)];
    for (let i = 0; i < x.length; i += 1) if (x[i] !== y[i]) return (x[i] ?? 0) - (y[i] ?? 0);
    return a.order_id < b.order_id ? -1 : 1;
  });
}

/** The flight that matters of an order: the open one that still delivers, else the last. */
export function currentFlight(order: Order): Order["flights"][number] | undefined {
  return (
    order.flights.find((flight) => flight.ended_at === null && flight.lost_at === null) ??
    order.flights.find((flight) => flight.ended_at === null) ??
    order.flights[order.flights.length - 1]
  );
}
