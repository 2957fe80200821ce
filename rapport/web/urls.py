"""Addresses of the Sales Hub."""

urlpatterns: list = []
