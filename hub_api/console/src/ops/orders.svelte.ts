import { isOpen, live, type Order } from "../live/live.svelte";

/** The open order whose flight this drone is on. */
export function orderOfDrone(droneId: string): Order | undefined {
  return [...live.details.values()].find(
    (order) =>
      isOpen(order.state) && order.flights.some((flight) => flight.drone_id === droneId && flight.ended_at === null),
  );
}
