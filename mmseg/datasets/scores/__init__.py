"""How a data set scores predictions, and writes them as its server wants them."""
