"""The units by which systemd keeps the watch going and does what is due: pure text, made from the province."""
