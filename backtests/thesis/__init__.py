"""The claims of the thesis; each claim is declared before any estimate of it is made."""
