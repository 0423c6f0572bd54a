"""The trial of the thesis: claims that are declared first and estimated later.

Terms in these modules:

- Capital is absorbed while the flag of the signal ``absorption`` is on. u, the absorbed share, is
  capital spending divided by the sum of capital spending and idle capital.
- Idle capital is depleted while the flag of the signal ``dry_powder`` is on. Idle capital is ample
  while this flag is off.
- A stay is a series of consecutive sessions with a flag on. An episode is one stay, or several
  stays that are at most a quarter apart.
- The condition of a claim is a signal whose flag must be on.
- The duration of an asset is the time until the asset pays its cash flows. Classes of long and of
  short duration are declared in :mod:`backtests.thesis.sample`. The duration spread is the return
  of long-duration minus short-duration classes.
"""
