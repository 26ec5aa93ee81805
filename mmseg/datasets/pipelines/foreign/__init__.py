"""Steps that hand samples to transforms of another library."""
