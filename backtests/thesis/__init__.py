"""Tests of the thesis: each claim is declared first and estimated later.

Terms in these modules:

- Capital is absorbed while the flag of the signal ``absorption`` is on. The absorbed share u is
  capital spending divided by the sum of capital spending and idle capital.
- Idle capital is depleted while the flag of the signal ``dry_powder`` is on. Idle capital is ample
  while the flag of ``dry_powder`` is off.
- A stay is an unbroken series of sessions at which a flag is on. Two neighbouring
  stays belong to the same episode if at most a quarter of a year lies between them.
- The condition of a claim is a signal. The claim applies while the flag of this signal is on.
- The duration of an asset is the time until the asset pays its cash flows. The module
  :mod:`signals.duration` lists the classes with a long duration and the classes with a short
  duration. The duration spread is the return of the long-duration classes minus the return of the
  short-duration classes.
"""
