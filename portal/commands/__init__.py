"""The commands of `desk`, one file each; portal/cli.py lists them."""
