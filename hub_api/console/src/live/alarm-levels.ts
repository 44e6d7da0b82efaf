import type { HubEvent } from "./live.svelte";

export type Level = "urgent" | "caution" | "notice";

const SAFE_ENDS = new Set(["on_pad", "never_left_ground", "delivered_on_ground"]);
/** SafetyAction (flight/model/faults.py): from HOLD upwards the vehicle leaves its plan. */
const HOLD_ACTION = 2;

/** How bad an event is for an operator; null: no alarm. */
export function levelOf(event: Pick<HubEvent, "kind" | "data" | "flight_id" | "state">): Level | null {
  switch (event.kind) {
    case "safety_action_taken":
      return Number(event.data["action"]) < HOLD_ACTION ? "caution" : "urgent";
    case "link_changed":
      if (event.flight_id === null || event.data["link"] === "up") return null;
      return event.data["link"] === "lost" ? "urgent" : "caution";
    case "decision_proposed":
    case "redecision_proposed":
    case "approval_alarm":
    case "delivery_failed":
    case "unknown_flight_found":
      return "urgent";
    case "diversion_settled":
      return event.data["outcome"] === "diverted" ? null : "caution";
    case "places_contradict":
      // A drone may be on its way to where nobody waits for it.
      return "urgent";
    case "reroute_failed":
    case "place_differs":
      return "caution";
    case "flight_ended":
      return SAFE_ENDS.has(String(event.data["safe_state"])) ? null : "urgent";
    case "command_refused":
    case "command_unanswered":
    case "decision_declined":
    case "redecision_declined":
      return "caution";
    case "phase_changed":
      return ["handed_over", "autopilot_return", "unclaimed", "landing_here"].includes(String(event.data["phase"]))
        ? "urgent"
        : null;
    default:
      return null;
  }
}

/** What somebody has to answer: over as soon as anybody did. */
export const QUESTIONS: ReadonlySet<string> = new Set(["decision_proposed", "redecision_proposed", "approval_alarm"]);

/** Every kind of event that may be an alarm: what a screen asks for that was just opened. */
export const KINDS = [
  "safety_action_taken",
  "link_changed",
  "decision_proposed",
  "redecision_proposed",
  "approval_alarm",
  "delivery_failed",
  "unknown_flight_found",
  "diversion_settled",
  "reroute_failed",
  "places_contradict",
  "place_differs",
  "flight_ended",
  "command_refused",
  "command_unanswered",
  "decision_declined",
  "redecision_declined",
  "phase_changed",
];
