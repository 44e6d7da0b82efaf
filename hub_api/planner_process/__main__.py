"""``python -m hub_api.planner_process FD``: see :mod:`hub_api.planner_process.worker`."""

from hub_api.commands.loading import without_collector

with without_collector():
    from hub_api.planner_process.worker import main

main()
