"""Cases taken over from elsewhere: read, sealed and registered at their real times, with nothing invented."""
