"""The claims of the thesis; each claim is declared before it is estimated."""
