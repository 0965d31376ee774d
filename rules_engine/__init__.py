"""Pure judgement: facts and rule packs in, a verdict with every reason out."""
