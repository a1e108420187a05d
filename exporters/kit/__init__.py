"""The Prometheus kit: what real Prometheus, Alertmanager and Grafana need to watch one province, as text by file name.

Everything is pure but `folder`, which looks at what is there and writes what differs. The names of metrics and labels
are those that the watch serves. Nothing names an office unless people are told of it, so that the kit changes only
where the province does.
"""
