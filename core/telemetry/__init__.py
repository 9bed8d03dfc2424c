"""Sessions in the dashboards that a team has: traces and metrics by OpenTelemetry's conventions for generative AI."""
