"""What tests of Haechi, and of programs that use it, share."""
