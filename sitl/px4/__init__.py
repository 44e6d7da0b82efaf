"""The PX4 personality: behaves towards MAVLink clients like PX4 1.17 on a multicopter.

What is imitated was observed on a built PX4 1.17.0 or read in its source; dangers included. Nothing here is
shared with ``flight``: one bug must not cancel itself out.
"""
