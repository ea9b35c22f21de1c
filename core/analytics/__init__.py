"""Figures for the dashboards: rollups kept by a job, and the questions they answer."""
