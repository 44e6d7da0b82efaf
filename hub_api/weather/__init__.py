"""The weather at stations: readings of sensors, METAR and TAF, and which of them counts where and how long."""
