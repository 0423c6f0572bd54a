"""The evidence of a run: metrics, attribution, intervals, placebos, robustness."""
