<?php
// STAND-IN for Joomla: its classes and its configuration.
defined( '_JEXEC' ) || die;
defined( 'JPATH_PLATFORM' ) || define( 'JPATH_PLATFORM', JPATH_LIBRARIES );
require_once JPATH_LIBRARIES . '/src/Version.php';
require_once JPATH_LIBRARIES . '/standin.php';
require_once JPATH_CONFIGURATION . '/configuration.php';
define( 'JVERSION', ( new Joomla\CMS\Version() )->getShortVersion() );
