"""The operator's own pages. In English, like the commands; each POST names the act its role is asked for."""
