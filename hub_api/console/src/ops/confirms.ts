import type { Schemas } from "../api/client";
import type { Sample } from "../live/stream";
import type { Sent } from "./commands.svelte";

export type CommandKind = Schemas["FlightCommandRequest"]["command"];

/** Phases that show that a command is carried out. */
const SHOWS: Record<CommandKind, ReadonlySet<string>> = {
  hold_flight: new Set(["holding"]),
  continue_flight: new Set(["climbing", "outbound", "hovering", "lowering", "inbound", "returning", "diverting"]),
  return_home: new Set(["returning", "recovering_line", "inbound", "landing", "disarming", "ended"]),
  divert_flight: new Set(["diverting", "landing", "recovering_line", "ended"]),
  abort_flight: new Set(["returning", "recovering_line", "disarming", "landing", "inbound", "ended", "standby"]),
  land_now: new Set(["landing_here", "recovering_line", "ended"]),
};
/** Whether a command leads to a phase. */
export function leadsTo(kind: CommandKind, phase: string): boolean {
  return SHOWS[kind].has(phase);
}

/**
 * Whether a sample shows that the vehicle does what was commanded: the flight computer is in a phase that the command leads
 * to, has seen of the vehicle what that phase asks of it, and the vehicle itself was heard (`heardMs`, our clock) after
 * the command was given. The phase alone is an intention: it is entered when the command is taken.
 */
export function confirms(sent: Pick<Sent, "kind" | "entered" | "to" | "atMs">, sample: Pick<Sample, "phase" | "shows_phase">, heardMs: number): boolean {
  return sent.to === null && sent.entered !== undefined && leadsTo(sent.kind, sample.phase) && sample.shows_phase !== false && heardMs > sent.atMs;
}
