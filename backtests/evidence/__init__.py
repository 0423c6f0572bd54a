"""The evidence about a run: metrics, attribution, intervals, placebos, robustness."""
