"""Rollouts: one job carried to many offices in waves behind gates, over days, whatever happens.

The ledger holds what happened, as events; the state is what they fold to (`state`). What to do next is decided by a
pure function of the state, the plan and the time (`decide`). A small loop (`loop`) writes down what it is going to
do, lets a site do it (`site`), and writes down what came of it.
"""
