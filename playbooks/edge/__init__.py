"""What pyinfra jobs for small machines are made of: operations that ask in one round trip what they need to know.

Links to communes are slow, so an operation at its target costs one question. Nothing here is imported but in the
process in which pyinfra works.
"""
