"""Where may we fly, from where, to which point, along which way: the answer is one immutable FlightPlan."""
