"""The servers that the web runs on, in front of morgue: whatever they send must be archived as curl gets it."""
