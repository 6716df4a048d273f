"""What the AWS services lack in the emulator underneath. Importing a module of this package adds its part."""
