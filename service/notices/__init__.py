"""Notices to complainants: composed, sent by one of several media, tried again, and recorded when they arrived."""
