"""What RoIAlign and RoIPool have in common."""
