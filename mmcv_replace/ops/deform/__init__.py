"""What the two deformable convolutions have in common."""
