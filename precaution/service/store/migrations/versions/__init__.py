"""The scripts, one for each version of the tables. There is no way back but a backup."""
