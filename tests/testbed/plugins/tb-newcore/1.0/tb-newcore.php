<?php
/**
 * Plugin Name: TB New Core
 * Description: Test plugin whose version 2.0 needs WordPress 7.0.
 * Version: 1.0
 * Requires at least: 6.0
 * Requires PHP: 7.4
 * Author: Testbed
 * License: MIT
 */
defined( 'ABSPATH' ) || exit;
